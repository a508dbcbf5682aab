import assert from "node:assert/strict";
import fc from "fast-check";
import { numbersFrom } from "../../functions/cli/numbers.ts";
import { LipcertError } from "../../shared/errors.ts";
import { capture } from "./capture.ts";

const SEED = 75;

/** What numpy.save writes (format 1.0). */
function npy(values: readonly number[], shape: readonly number[], descr = "<f8", fortran = "False") {
  const size = descr.endsWith("4") ? 4 : 8, little = descr[0] === "<";
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${
    shape.map((s) => `${s},`).join(" ")
  }), }`;
  const header = `${text.padEnd(117)}\n`;
  const bytes = new Uint8Array(10 + header.length + size * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  view.setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  values.forEach((x, i) => {
    const at = 10 + header.length + size * i;
    if (size === 4) view.setFloat32(at, x, little);
    else view.setFloat64(at, x, little);
  });
  return bytes;
}

const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 12 });

Deno.test("numbersFrom() reads the same numbers from the command line, text, JSON and .npy", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, async (values) => {
      const single = values.map(Math.fround).map((x) => Number.isFinite(x) ? x : 0);
      const files = {
        "a.txt": values.join("\n"),
        "b.csv": ` ${values.join(", ")}\n`,
        "c.json": JSON.stringify(values),
        "d.json": JSON.stringify([[values.slice(0, 1)], [values.slice(1)]]),
        "e.npy": npy(values, [1, values.length]),
        "f.npy": npy(values, [values.length], ">f8"),
        "g.npy": npy(single, [values.length], "<f4"),
        "h.npy": npy(values, [values.length], "<f8", "True"),
      };
      const host = capture({ files });
      const same = (found: number[], wanted: number[]) =>
        assert.deepEqual(found.map((x) => x + 0), wanted.map((x) => x + 0));
      same(await numbersFrom("--center", values.join(), host), values);
      same(await numbersFrom("--center", values.join(" "), host), values);
      for (const name of Object.keys(files)) {
        same(await numbersFrom("--center", name, host), name === "g.npy" ? single : values);
      }
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("numbersFrom() names the option and the place of what is no number", async () => {
  const claims = npy([1], [1]);
  claims[6] = 2; // version 2: four bytes of length
  new DataView(claims.buffer).setUint32(8, 100 * 2 ** 20, true);
  const files = {
    "text": "0.5 0.25\nx",
    "nan": "0.5 NaN",
    "json": "[1, 2",
    "object": '[1, {"a": 2}]',
    "null": "[1, null]",
    "deep": "[".repeat(1e5),
    "binary": Uint8Array.of(0xff, 0xfe, 0),
    "short.npy": npy([1, 2], [3]),
    "long.npy": npy([1, 2], [1]),
    "cut.npy": npy([1], [1]).slice(0, 40),
    "header.npy": claims,
    "integers.npy": npy([1], [1], "<i8"),
    "fortran.npy": npy([1, 2, 3, 4], [2, 2], "<f8", "True"),
    "huge.npy": npy([1], [4294967296, 4294967296]),
  };
  const says = {
    "text": /"x" is no number, at position 2/,
    "nan": /"NaN" is no number, at position 1/,
    "json": /JSON|Expected/,
    "object": /is no number, at position 1/,
    "null": /null is no number, at position 1/,
    "deep": /./,
    "binary": /neither text nor \.npy/,
    "short.npy": /needs 24 bytes, the file has 16/,
    "long.npy": /needs 8 bytes, the file has 16/,
    "cut.npy": /ends in its header/,
    "header.npy": /header claims 104857600 bytes/,
    "integers.npy": /type is "<i8"; float32 and float64 are supported/,
    "fortran.npy": /Fortran order; C order is supported/,
    "huge.npy": /the file has 8/,
  };
  const host = capture({ files });
  for (const name of Object.keys(files) as (keyof typeof files)[]) {
    await assert.rejects(numbersFrom("--center", name, host), (error) => {
      assert.ok(error instanceof LipcertError && error.type === "invalid-query", `${name}: ${error}`);
      assert.match(error.message, /^Cannot read --center/);
      assert.match(error.message, says[name]);
      return true;
    });
  }
});
