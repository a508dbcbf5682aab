import assert from "node:assert/strict";
import type { Region } from "../../../shared/search/region.ts";
import { exact, subtract, toNumber } from "../../exact/dyadic.ts";
import { type Lossy, lossyAmong, lossyNorm, lossyRow, lossyValue } from "./roundings.ts";

interface Scene {
  readonly ask: (change: (region: Region) => Region) => Lossy;
  /** So small a share of the factor is too small. */
  readonly tooSmall: number;
}

const SCENES: Readonly<Record<string, Scene>> = {
  "a norm over 1,500 inputs and one unit": { ask: (change) => lossyNorm(1500, change), tooSmall: 0.95 },
  "a value over two inputs and 300 units": { ask: (change) => lossyValue(2, 300, change), tooSmall: 1 / 8 },
  "a row of h over 1,500 inputs and three units": { ask: (change) => lossyRow(1500, 3, change), tooSmall: 1 / 16 },
  "the least of 257 outputs, (26)": { ask: lossyAmong, tooSmall: 1 / 4 },
  "a row of h over two inputs and 300 units": { ask: (change) => lossyRow(2, 300, change), tooSmall: 1 / 16 },
};

for (const [what, { ask, tooSmall }] of Object.entries(SCENES)) {
  const above = (scale: number) => {
    const { found, truth } = ask((region) => ({ ...region, factor: scale * region.factor }));
    return toNumber(subtract(exact(found), truth));
  };
  Deno.test(`(25): where nearly all roundings add up the bound is not below its sum: ${what}`, () => {
    assert.ok(above(1) >= 0);
  });
  Deno.test(`(25): exact sums notice a factor ${tooSmall} times as large: ${what}`, () => {
    assert.ok(above(tooSmall) < 0);
  });
}
