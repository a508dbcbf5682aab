/** Receivers on loopback addresses, well-behaved and broken, and the settings that reach them. */
import { parseNetwork } from "../../../functions/webhooks/ip.ts";
import type { TargetRules } from "../../../functions/webhooks/target.ts";

/** Where receivers listen. 127.0.0.1 is what a test's rules allow only where they say so. */
export const OUTSIDE = "127.0.0.2";
export const INSIDE = "127.0.0.1";

/** Rules that treat {@link OUTSIDE} like a public address and nothing else. */
export const RULES: TargetRules = { http: true, networks: [parseNetwork(OUTSIDE)] };

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const tls = (name: string) => Deno.readTextFileSync(new URL(`tls/${name}`, import.meta.url));

export const CA = tls("ca.pem");

/** The receiver's certificate as it should be, and one that is out of date. */
export const IDENTITY = { key: tls("receiver.key"), cert: tls("receiver.pem") };
export const EXPIRED = { key: tls("receiver.key"), cert: tls("expired.pem") };

export interface Received {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Receiver extends AsyncDisposable {
  readonly port: number;
  readonly received: Received[];
}

/** Answers with what `respond` makes of a request; on a free port unless told. */
export function receiver(
  hostname: string,
  respond: (request: Request) => Response = () => new Response(null, { status: 204 }),
  options: { port?: number; key?: string; cert?: string } = {},
): Receiver {
  const received: Received[] = [];
  const server = Deno.serve(
    { hostname, port: 0, onListen() {}, ...options } as Deno.ServeTcpOptions,
    async (request) => {
      received.push({ headers: request.headers, body: new Uint8Array(await request.arrayBuffer()) });
      return respond(request);
    },
  );
  return { port: server.addr.port, received, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Writes these bytes to whoever connects, as often as the other side takes them, then hangs up or holds the line. */
export function rawReceiver(
  hostname: string,
  chunks: Iterable<string>,
  then: "close" | "hold",
): AsyncDisposable & { readonly port: number; readonly heard: string[] } {
  const listener = Deno.listen({ hostname, port: 0 });
  const heard: string[] = [];
  const talks: Promise<void>[] = [];
  async function talk(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const hear = async () => {
      const length = await connection.read(buffer);
      if (length !== null) heard.push(new TextDecoder().decode(buffer.subarray(0, length)));
      return length;
    };
    try {
      await hear();
      for (const chunk of chunks) await writeAll(connection, new TextEncoder().encode(chunk));
      while (then === "hold" && await hear() !== null);
    } catch {
      // the sender hung up
    } finally {
      connection.close();
    }
  }
  const accepting = (async () => {
    for await (const connection of listener) talks.push(talk(connection));
  })();
  return {
    port: listener.addr.port,
    heard,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(talks);
    },
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** The same chunk for ever. */
export function* endless(first: string, chunk: string): Generator<string> {
  yield first;
  while (true) yield chunk;
}
