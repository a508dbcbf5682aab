/** Damaged files: whatever a flipped bit or a lost tail makes of a model, it is read or it is the caller's problem. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { problemOf } from "./refusals.ts";

const SEED = 1000;
const FILES = [
  "reference/synthetic_mlp16",
  "torch/reshaped_opset13",
  "torch/view_dynamic_opset9",
  "torch/residual_opset11",
  "torch/padded_opset11",
  "torch/dense_opset9",
  "torch/normalization_opset9",
  "torch/decoder",
];

/** Bits to flip and how much of the file to keep. */
const damage = fc.record({
  file: fc.constantFrom(...FILES),
  flips: fc.array(fc.nat(), { maxLength: 4 }),
  // Most of the structure is outside the weights: flip there more often than chance would.
  early: fc.boolean(),
  kept: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
}).filter(({ flips, kept }) => flips.length > 0 || kept < 1);

Deno.test(`readModel() of 1000 damaged files throws nothing but problems of the caller (seed ${SEED})`, async () => {
  const originals = new Map<string, Uint8Array>();
  for (const file of FILES) {
    originals.set(file, await Deno.readFile(new URL(`../../models/${file}.onnx`, import.meta.url)));
  }
  const seen = { read: 0, refused: new Map<string, number>() };
  fc.assert(
    fc.property(damage, ({ file, flips, early, kept }) => {
      const original = originals.get(file);
      assert.ok(original !== undefined);
      const bytes = original.slice(0, Math.floor(original.length * kept));
      if (bytes.length > 0) {
        for (const flip of flips) {
          const place = early ? flip % Math.min(bytes.length, 400) : flip % bytes.length;
          bytes[place] ^= 1 << (flip >> 8) % 8;
        }
      }
      const problem = problemOf(bytes);
      if (problem === null) seen.read++;
      else seen.refused.set(problem.type, (seen.refused.get(problem.type) ?? 0) + 1);
    }),
    { seed: SEED, numRuns: 1000 },
  );
  // The damage must be of many kinds, or this would be a test of one early check.
  assert.ok(seen.read > 50 && seen.refused.size >= 4, JSON.stringify([seen.read, ...seen.refused]));
});
