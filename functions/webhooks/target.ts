/** Which URLs may be called, as far as their text tells. Asked when a job names one, and again before every attempt. */
import { notPublic } from "./address.ts";
import { type Network, parseIp } from "./ip.ts";

export interface TargetRules {
  /** Whether plain http is allowed; the body and its signature can then be read on the way. */
  readonly http: boolean;
  /** Networks that may be called though they are not public: receivers beside a host of one's own. */
  readonly networks: readonly Network[];
}

/** What a public service allows. */
export const PUBLIC_ONLY: TargetRules = { http: false, networks: [] };

/** A URL that may be called so far: a name is still to be resolved. */
export interface Target {
  readonly url: URL;
  /** The host without brackets and final dot: a name, or the address itself. */
  readonly host: string;
  readonly isAddress: boolean;
}

export interface Refusal {
  /** Why, in words for whoever named the URL. */
  readonly refused: string;
}

const MAX_LENGTH = 2048;

/**
 * Names that lead nowhere outside. Sources: RFC 6761 (localhost, test, invalid, example), RFC 6762 (local; appendix G:
 * the usual names of networks at home and at work), RFC 7686 (onion), RFC 8375 (home.arpa), RFC 9476 (alt).
 */
const LOCAL_NAMES =
  /(^|\.)(localhost|localdomain|local|internal|home\.arpa|test|invalid|example|onion|alt|corp|home|mail|lan|intranet|private)$/;

/**
 * Reads a URL, or says why it must not be called.
 *
 * The WHATWG parser comes first, so every spelling of an address (decimal, hexadecimal, octal, short, percent-encoded,
 * full-width digits) is the one that would be connected to. A host name of a single label is refused: only a search
 * list of ours can resolve it. Ports below 1024 other than those of http and https belong to other protocols. Names are
 * looked at here to be refused early; where private networks are allowed their addresses alone decide.
 */
export function targetOf(text: string, rules: TargetRules): Target | Refusal {
  if (text.length > MAX_LENGTH) return { refused: `it is longer than ${MAX_LENGTH} characters` };
  if (!URL.canParse(text)) return { refused: "it is not an absolute URL" };
  const url = new URL(text);
  if (url.protocol !== "https:" && !(rules.http && url.protocol === "http:")) {
    return { refused: rules.http ? "it is neither https nor http" : "it is not https" };
  }
  if (url.username !== "" || url.password !== "") return { refused: "it holds a user name or a password" };
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (port < 1024 && port !== 443 && port !== 80) return { refused: `port ${port} belongs to another protocol` };
  url.hash = "";

  const ip = parseIp(url.hostname);
  if (ip !== null) {
    const what = notPublic(ip, rules.networks);
    if (what !== null) return { refused: `its address is not public (${what})` };
    return { url, host: url.hostname.replace(/^\[|\]$/g, ""), isAddress: true };
  }
  const host = url.hostname.replace(/\.$/, "");
  if (host === "" || host.endsWith(".")) return { refused: "its host is not a name" };
  if (rules.networks.length === 0 && (!host.includes(".") || LOCAL_NAMES.test(host))) {
    return { refused: "its host is a name of local use" };
  }
  return { url, host, isAddress: false };
}
