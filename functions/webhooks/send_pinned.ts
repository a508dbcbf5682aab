/**
 * Sends to addresses that were checked before, for Deno: the name is not resolved a second time.
 *
 * The socket is opened here, to an address; the receiver's name goes into the Host header, into TLS (SNI), and the
 * certificate is checked against it. Redirects are not followed: node:http never does. There is no proxy and no kept
 * connection.
 *
 * Not chosen: `fetch` with `Deno.createHttpClient({ proxy: { transport: "tcp" } })`, which connects where it is told but
 * speaks no TLS there (Deno 2.9.6); the `lookup` option of node:https, which pins as well, as long as it is called;
 * sockets of node:https itself, which want `--allow-sys` without a list (Deno 2.9.6).
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { type Answer, failed, type FailureType, type Message, readAnswer, type Send, TIMEOUT } from "./send.ts";

export interface PinnedOptions {
  /** Roots (PEM) to trust in place of those of the runtime, which `DENO_CERT` and `DENO_TLS_CA_STORE` set. */
  readonly ca?: readonly string[];
  /** How long one address may take to be connected to before the next is tried. */
  readonly connectMs?: number;
}

const CONNECT_MS = 5000;

/** Addresses of one name that are tried: a name may have hundreds. */
const MAX_ADDRESSES = 4;

export function pinnedSend(options: PinnedOptions = {}): Send {
  return async (message, signal) => {
    let answer = failed("unresolved", "there is no address to connect to");
    for (const address of (message.addresses ?? []).slice(0, MAX_ADDRESSES)) {
      const attempt = await exchange(message, address, options, signal);
      answer = attempt.answer;
      if (attempt.connected || signal.aborted) break;
    }
    return answer;
  };
}

interface Exchange {
  readonly answer: Answer;
  /** The next address is tried only where nothing can have been sent. */
  readonly connected: boolean;
}

function exchange(
  message: Message,
  address: string,
  { ca, connectMs = CONNECT_MS }: PinnedOptions,
  signal: AbortSignal,
): Promise<Exchange> {
  return new Promise((resolve) => {
    let connected = false;
    let answering = false;
    const socket = open(message, address, ca);
    const request = requestOver(socket, message);
    const stop = () => request.destroy(new Error("deadline"));
    const slow = Object.assign(new Error("connecting takes too long"), { code: "ETIMEDOUT" });
    const patience = setTimeout(() => request.destroy(slow), connectMs);
    const settle = (answer: Answer) => {
      clearTimeout(patience);
      signal.removeEventListener("abort", stop);
      request.destroy();
      resolve({ answer, connected });
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    socket.on("connect", () => {
      connected = true;
      clearTimeout(patience);
    });
    const fail = (error: Error & { code?: string }) => {
      if (answering) return; // then the body breaks off, and the status counts
      settle(signal.aborted ? failed(TIMEOUT.type, TIMEOUT.detail) : failureOf(error));
    };
    request.on("error", fail);
    request.on("close", () => fail(new Error("closed"))); // without an error after 101 Switching Protocols
    request.on("response", (response: IncomingMessage) => {
      answering = true;
      const retryAfter = response.headers["retry-after"] ?? null;
      void readAnswer(response.statusCode ?? 0, retryAfter, response, signal).then(settle);
    });
    request.end(message.body);
  });
}

function open({ url, host, isAddress }: Message, address: string, ca?: readonly string[]): Socket {
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  if (!secure) return connect({ host: address, port });
  // An address is no server name (RFC 6066, 3): it is looked for in the certificate itself.
  const servername = isAddress ? "" : host;
  const strict = { rejectUnauthorized: true }; // whatever NODE_TLS_REJECT_UNAUTHORIZED says
  return tlsConnect({ host: address, port, servername, ...strict, ...(ca === undefined ? {} : { ca: [...ca] }) });
}

function requestOver(socket: Socket, { url, headers, body }: Message): ClientRequest {
  const request = url.protocol === "https:" ? tlsRequest : plainRequest;
  return request({
    createConnection: () => socket,
    path: url.pathname + url.search,
    method: "POST",
    headers: { ...headers, host: url.host, "content-length": body.length },
  });
}

/** Failures in words of ours: those of the runtime name addresses. */
function failureOf(error: Error & { code?: string }): Answer {
  const code = error.code ?? "";
  const tls = /^(ERR_TLS|ERR_SSL|CERT_|EPROTO|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(code);
  const type: FailureType = tls ? "tls" : "connection";
  return failed(type, `${tls ? "TLS failed" : "the connection failed"}${code === "" ? "" : ` (${code})`}`);
}
