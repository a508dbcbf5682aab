/** From a name to addresses that may be called: by the system's name servers on Deno, over HTTPS anywhere. */
import { notPublic } from "./address.ts";
import { decodeAddresses, encodeQuestion, type RecordType } from "./dns_message.ts";
import { type Network, parseIp } from "./ip.ts";

/** The addresses of a name, IPv4 before IPv6; empty where it has none. Rejects when no name server answers. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<string[]>;

/** Addresses that were checked, or why none may be called. */
export type Resolved = { readonly addresses: readonly string[] } | { readonly refused: string };

const TYPES = ["A", "AAAA"] as const;

/**
 * Checks every address of a name: one that is not public refuses them all, for a name that leads inside is no receiver's.
 *
 * The refusal says what kind of address it is and never the address: names of a network of ours stay unknown outside.
 */
export function checkAddresses(addresses: readonly string[], allowed: readonly Network[]): Resolved {
  for (const address of addresses) {
    const ip = parseIp(address);
    const what = ip === null ? "not readable" : notPublic(ip, allowed);
    if (what !== null) return { refused: `its name leads to an address that is not public (${what})` };
  }
  return { addresses };
}

/** By Deno, from `/etc/hosts` and the system's name servers, or from the one that is given. Search lists have no say. */
export function systemResolve(nameServer?: { ipAddr: string; port: number }): Resolve {
  return (name, signal) =>
    bothTypes(async (type) => {
      try {
        return await Deno.resolveDns(`${name}.`, type, { signal, ...(nameServer === undefined ? {} : { nameServer }) });
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return []; // no such name, no such record, or a failing server
        throw error;
      }
    });
}

/** Longest answer that is looked at: 8 KiB hold some hundreds of addresses. */
const MAX_ANSWER_BYTES = 8192;

/** By DNS over HTTPS (RFC 8484) at a server of the operator's choice, where a runtime has no resolver of its own. */
export function httpsResolve(server: string, fetcher: typeof fetch = fetch): Resolve {
  return (name, signal) =>
    bothTypes(async (type) => {
      const response = await fetcher(server, {
        method: "POST",
        headers: { "content-type": "application/dns-message", accept: "application/dns-message" },
        body: encodeQuestion(name, type),
        redirect: "manual",
        signal,
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`the resolver answered with status ${response.status}`);
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.length > MAX_ANSWER_BYTES) throw new RangeError("the resolver's answer is too long");
      return decodeAddresses(bytes, type);
    });
}

/** Both types at once; one may fail where the other has addresses, since only those that are known are called. */
async function bothTypes(ask: (type: RecordType) => Promise<string[]>): Promise<string[]> {
  const answers = await Promise.allSettled(TYPES.map(ask));
  const addresses = answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  const failed = answers.find((answer) => answer.status === "rejected");
  if (addresses.length === 0 && failed !== undefined) throw failed.reason;
  return addresses;
}
