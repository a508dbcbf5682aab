/** The little of DNS messages (RFC 1035, section 4) that asking for addresses over HTTPS takes. */

/** Record types. Sources: RFC 1035, 3.2.2; RFC 3596, 2.1. */
export const RECORD = { A: 1, AAAA: 28 } as const;

export type RecordType = keyof typeof RECORD;

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const RCODE = { ok: 0, noSuchName: 3 } as const;

/** A recursive question for a name's records. The id is 0, as RFC 8484, 4.1, wants. Throws `RangeError` for no name. */
export function encodeQuestion(name: string, type: RecordType): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").map((label) => new TextEncoder().encode(label));
  if (labels.some((label) => label.length < 1 || label.length > 63)) {
    throw new RangeError(`"${name}" is no name of DNS`);
  }
  return new Uint8Array([
    ...[0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], // id, recursion desired, one question, no records
    ...labels.flatMap((label) => [label.length, ...label]),
    ...[0, 0, RECORD[type], 0, CLASS_IN],
  ]);
}

/**
 * The addresses of an answer, in their standard spelling; none when the name or the type does not exist.
 *
 * Records of other types and names of aliases are passed over: all that count are addresses. Throws `RangeError` for an
 * answer that says it failed, is cut or is none.
 */
export function decodeAddresses(message: Uint8Array, type: RecordType): string[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (view.getUint8(2) < 0x80) throw new RangeError("the message is no answer");
  if ((view.getUint8(2) & 2) !== 0) throw new RangeError("the answer is cut");
  const rcode = view.getUint8(3) & 15;
  if (rcode === RCODE.noSuchName) return [];
  if (rcode !== RCODE.ok) throw new RangeError(`the name server answered with code ${rcode}`);
  let at = HEADER_BYTES;
  for (let question = view.getUint16(4); question > 0; question--) at = afterName(view, at) + 4;
  const addresses: string[] = [];
  for (let record = view.getUint16(6); record > 0; record--) {
    at = afterName(view, at);
    const length = view.getUint16(at + 8);
    const data = at + 10;
    at = data + length;
    if (at > message.length) throw new RangeError("a record reaches beyond the message");
    if (view.getUint16(data - 10) !== RECORD[type] || view.getUint16(data - 8) !== CLASS_IN) continue;
    if (length !== (type === "A" ? 4 : 16)) throw new RangeError("an address has the wrong length");
    addresses.push(textOf(message.subarray(data, at)));
  }
  return addresses;
}

/** Where a name ends: at its root label, or after a pointer to another place. */
function afterName(view: DataView, at: number): number {
  for (let length = view.getUint8(at); length !== 0; length = view.getUint8(at)) {
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
  return at + 1;
}

function textOf(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join(".");
  return Array.from({ length: 8 }, (_, i) => (ip[2 * i] << 8 | ip[2 * i + 1]).toString(16)).join(":");
}
