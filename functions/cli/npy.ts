/** Files of numpy.save: arrays of float32 or float64 in C order. */

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** Characters of a header: shapes are short. */
const MAX_HEADER = 2 ** 16;

export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * The numbers of an array, flat and row-major.
 *
 * Throws: `RangeError` that says what is wrong and what is supported.
 */
export function numbersOfNpy(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, start } = headerOf(bytes, view);
  const { descr, fortran, shape } = fieldsOf(header);
  const type = /^[<>]f[48]$/.test(descr) ? descr : null;
  if (type === null) throw new RangeError(`its type is ${JSON.stringify(descr)}; float32 and float64 are supported`);
  if (fortran && shape.length > 1) throw new RangeError("it is in Fortran order; C order is supported");
  const count = shape.reduce((product, size) => product * size, 1);
  const size = type[2] === "4" ? 4 : 8;
  const got = bytes.length - start;
  if (got !== count * size) throw new RangeError(`shape (${shape}) needs ${count * size} bytes, the file has ${got}`);
  const little = type[0] === "<";
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    return size === 4 ? view.getFloat32(at, little) : view.getFloat64(at, little);
  });
}

function headerOf(bytes: Uint8Array, view: DataView): { header: string; start: number } {
  if (bytes.length < 12) throw new RangeError("the file ends in its header");
  const wide = bytes[6] >= 2; // the length of the header takes two bytes in version 1, four from version 2 on
  const from = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > MAX_HEADER) throw new RangeError(`its header claims ${length} bytes; ${MAX_HEADER} are read`);
  const start = from + length;
  if (start > bytes.length) throw new RangeError("the file ends in its header");
  return { header: new TextDecoder().decode(bytes.subarray(from, start)), start };
}

function fieldsOf(header: string): { descr: string; fortran: boolean; shape: number[] } {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw new RangeError("its header is not that of one array of numbers");
  }
  return { descr, fortran: fortran === "True", shape: shape.split(",").filter((s) => s.trim() !== "").map(Number) };
}
