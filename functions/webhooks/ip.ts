/** Addresses as bytes: 4 of IPv4, 16 of IPv6. */

/** Bytes of an address, the most significant first. */
export type Ip = Uint8Array;

/**
 * The bytes of an address in its standard spelling, or null.
 *
 * IPv4 is four decimal numbers without leading zeros (RFC 6943, section 3.1.1, "strict"): everything looser is read
 * differently by different readers. The URL parser has turned hexadecimal, octal and short forms into this one before.
 * IPv6 is RFC 4291, section 2.2, with or without brackets; a zone (`%eth0`) names an interface of ours and is refused.
 */
export function parseIp(text: string): Ip | null {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  return bare.includes(":") ? parseIpv6(bare) : bare === text ? parseIpv4(bare) : null;
}

function parseIpv4(text: string): Ip | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Ip | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1));
  if (head === null || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? bytesOf(head) : null;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? null : bytesOf([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The 16-bit groups of a part; the last may be an IPv4 address. */
function groupsOf(text: string, isLast: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = isLast && i === parts.length - 1 ? parseIpv4(part) : null;
    if (ipv4 === null) return null;
    groups.push(ipv4[0] << 8 | ipv4[1], ipv4[2] << 8 | ipv4[3]);
  }
  return groups;
}

function bytesOf(groups: readonly number[]): Ip {
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** Every address whose first `bits` bits are those of `base`. */
export interface Network {
  readonly base: Ip;
  readonly bits: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`; an address alone is a network of one. Throws `RangeError`. */
export function parseNetwork(text: string): Network {
  const [address, length, more] = text.split("/");
  const base = parseIp(address);
  const bits = length === undefined ? (base?.length ?? 0) * 8 : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (base === null || more !== undefined || !(bits <= base.length * 8)) {
    throw new RangeError(`Cannot read network "${text}": it is an address, a slash and a number of bits`);
  }
  return { base, bits };
}

export function isIn(ip: Ip, { base, bits }: Network): boolean {
  if (ip.length !== base.length) return false;
  for (let i = 0; 8 * i < bits; i++) {
    const mask = 0xff00 >> Math.min(8, bits - 8 * i) & 0xff;
    if (((ip[i] ^ base[i]) & mask) !== 0) return false;
  }
  return true;
}
