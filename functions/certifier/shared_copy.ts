/** Plain data whose numbers lie in memory that threads share: one copy, however many read it. */

type View = Float64Array | Float32Array | Int32Array | Int8Array | Uint8Array;

/**
 * A copy of objects, arrays, maps and views; views of one buffer stay views of one buffer. Nobody may write to it.
 *
 * Throws: `TypeError` for anything that is not plain data.
 */
export function sharedCopy<T>(value: T): T {
  const copies = new Map<unknown, unknown>();
  function copyOf(one: unknown): unknown {
    if (typeof one === "function" || typeof one === "symbol") throw new TypeError(`Cannot share a ${typeof one}`);
    if (typeof one !== "object" || one === null) return one;
    let copy = copies.get(one);
    if (copy === undefined) copies.set(one, copy = fresh(one));
    return copy;
  }
  function fresh(one: object): unknown {
    if (one instanceof ArrayBuffer) return sharedBytes(one);
    if (one instanceof SharedArrayBuffer) return one;
    if (ArrayBuffer.isView(one)) {
      const { buffer, byteOffset, length, constructor } = one as View;
      const Kind = constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => View;
      return new Kind(copyOf(buffer) as SharedArrayBuffer, byteOffset, length);
    }
    if (Array.isArray(one)) return one.map(copyOf);
    if (one instanceof Map) return new Map([...one].map(([key, member]) => [copyOf(key), copyOf(member)]));
    if (Object.getPrototypeOf(one) !== Object.prototype) throw new TypeError(`Cannot share a ${one.constructor?.name}`);
    return Object.fromEntries(Object.entries(one).map(([name, member]) => [name, copyOf(member)]));
  }
  return copyOf(value) as T;
}

function sharedBytes(buffer: ArrayBuffer): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(buffer.byteLength);
  new Uint8Array(shared).set(new Uint8Array(buffer));
  return shared;
}
