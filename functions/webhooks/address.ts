/**
 * Which addresses are public: those that somebody else's service can have, and none of ours.
 *
 * Sources: the IANA special-purpose address registries (RFC 6890) as they stand in 2026, and clouds' documentation for
 * the addresses that are public in form and answer only from inside. Where the registries part a network into services
 * (192.0.0.0/24, 2001::/23) the whole is refused: nobody receives callbacks there.
 */
import { type Ip, isIn, type Network, parseNetwork } from "./ip.ts";

/** A network, what it is, where that is said. The first that holds an address names it. */
const NOT_PUBLIC: readonly (readonly [network: string, what: string, source: string])[] = [
  ["0.0.0.0/8", "unspecified", "RFC 1122, 3.2.1.3"],
  ["10.0.0.0/8", "private", "RFC 1918"],
  ["100.64.0.0/10", "shared by a carrier's NAT", "RFC 6598"],
  ["127.0.0.0/8", "loopback", "RFC 1122, 3.2.1.3"],
  ["168.63.129.16/32", "platform service of a cloud", "Azure: What is IP address 168.63.129.16?"],
  ["169.254.0.0/16", "link-local", "RFC 3927"],
  ["172.16.0.0/12", "private", "RFC 1918"],
  ["192.0.0.0/24", "IETF protocol assignments", "RFC 6890, 2.1"],
  ["192.0.2.0/24", "documentation", "RFC 5737"],
  ["192.31.196.0/24", "AS112 sink", "RFC 7535"],
  ["192.52.193.0/24", "multicast tunneling", "RFC 7450"],
  ["192.88.99.0/24", "6to4 relay", "RFC 7526"],
  ["192.168.0.0/16", "private", "RFC 1918"],
  ["192.175.48.0/24", "AS112 sink", "RFC 7534"],
  ["198.18.0.0/15", "benchmarking", "RFC 2544"],
  ["198.51.100.0/24", "documentation", "RFC 5737"],
  ["203.0.113.0/24", "documentation", "RFC 5737"],
  ["224.0.0.0/4", "multicast", "RFC 5771"],
  ["240.0.0.0/4", "reserved", "RFC 1112, 4; 255.255.255.255: RFC 919"],
  ["::/128", "unspecified", "RFC 4291, 2.5.2"],
  ["::1/128", "loopback", "RFC 4291, 2.5.3"],
  ["::/96", "IPv4-compatible", "RFC 4291, 2.5.5.1"],
  ["::ffff:0:0:0/96", "IPv4-translated", "RFC 2765, 2.1"],
  ["64:ff9b:1::/48", "translation within a network", "RFC 8215"],
  ["100::/64", "discard-only", "RFC 6666"],
  ["100:0:0:1::/64", "dummy prefix", "RFC 9780"],
  ["2001::/32", "Teredo", "RFC 4380"],
  ["2001::/23", "IETF protocol assignments", "RFC 2928; benchmarking 2001:2::/48: RFC 5180"],
  ["2001:db8::/32", "documentation", "RFC 3849"],
  ["2002::/16", "6to4", "RFC 3056, RFC 7526"],
  ["2620:4f:8000::/48", "AS112 sink", "RFC 7534"],
  ["3fff::/20", "documentation", "RFC 9637"],
  ["5f00::/16", "segment routing", "RFC 9602"],
  ["fc00::/7", "unique local", "RFC 4193; fd00:ec2::254 is a cloud's metadata"],
  ["fe80::/10", "link-local", "RFC 4291, 2.5.6"],
  ["fec0::/10", "site-local", "RFC 3879"],
  ["ff00::/8", "multicast", "RFC 4291, 2.7"],
];

const TABLE = NOT_PUBLIC.map(([network, what]) => ({ network: parseNetwork(network), what }));

/** Global unicast so far: what lies outside is not assigned to anybody. Source: RFC 4291, 2.4, and IANA. */
const GLOBAL_UNICAST = parseNetwork("2000::/3");

/** IPv4 in IPv6's clothes: packets go to the IPv4 address inside. Sources: RFC 4291, 2.5.5.2; RFC 6052, 2.1. */
const CARRIES_IPV4: readonly Network[] = [parseNetwork("::ffff:0:0/96"), parseNetwork("64:ff9b::/96")];

/** The address that packets reach: of an IPv4-mapped or NAT64 address the IPv4 inside, of others itself. */
export function reached(ip: Ip): Ip {
  return CARRIES_IPV4.some((network) => isIn(ip, network)) ? ip.subarray(12) : ip;
}

/**
 * What an address is that must not be called, or null when it may be.
 *
 * `allowed` are networks that are called though they are not public.
 */
export function notPublic(ip: Ip, allowed: readonly Network[] = []): string | null {
  const end = reached(ip);
  if (allowed.some((network) => isIn(end, network))) return null;
  const named = TABLE.find(({ network }) => isIn(end, network));
  if (named !== undefined) return named.what;
  return end.length === 4 || isIn(end, GLOBAL_UNICAST) ? null : "not assigned";
}
