import assert from "node:assert/strict";
import type { Windows } from "../../../shared/graph.ts";
import { sizeOf, stencilOf, tilesOf } from "../../../shared/operators/windows.ts";
import { Random } from "../../exact/random.ts";
import { type Emphasis, randomWindows } from "../../exact/random_windows.ts";
import { convolutionMatrix } from "../../exact/unroll.ts";

const SEED = 3202;
const EMPHASES: readonly Emphasis[] = ["strided", "padded", "dilated", "grouped", "depthwise", null];

/** Where the matrix of these windows has entries: [rows][columns]. */
function entriesOf(windows: Windows, transposed: boolean): { matrix: Float64Array; rows: number; columns: number } {
  const taps = windows.kernel[0] * windows.kernel[1];
  const kernel = new Float64Array(windows.coarse.channels * windows.fine.channels / windows.groups * taps).fill(1);
  const [own, other] = transposed ? [windows.fine, windows.coarse] : [windows.coarse, windows.fine];
  const rows = sizeOf(windows.batch, own), columns = sizeOf(windows.batch, other);
  const node = { operator: "convolution", inputs: [0], size: rows, name: "y", kernel, windows, transposed, bias: null };
  return { matrix: convolutionMatrix({ ...node, operator: "convolution" }, columns), rows, columns };
}

/** Some of the indices below a size, ascending: all, a few, or a stretch. */
function someOf(random: Random, size: number): Int32Array {
  const all = Int32Array.from({ length: size }, (_, i) => i);
  if (random.chance(0.4)) return all;
  const share = random.pick([0.1, 0.5, 0.9]);
  if (random.chance(0.5)) return all.filter(() => random.chance(share));
  const from = random.integer(0, size - 1);
  return all.subarray(from, random.integer(from, size));
}

Deno.test(`(20) blocks of a convolution cover each of its entries once, and each output in one block (seed ${SEED})`, () => {
  let blocks = 0, severalBlocks = 0;
  for (let index = 0; index < 600; index++) {
    const random = new Random(SEED, index), transposed = random.chance(0.5);
    const emphasis = EMPHASES[index % EMPHASES.length];
    const grid = {
      channels: emphasis === "grouped" ? random.pick([2, 4]) : random.integer(1, 3),
      height: random.integer(1, 7),
      width: random.integer(1, 9),
    };
    const windows = randomWindows(random, grid, random.pick([1, 1, 2]), random.chance(0.3), emphasis);
    const { matrix, rows, columns } = entriesOf(windows, transposed);
    const [chosenRows, chosenColumns] = [someOf(random, rows), someOf(random, columns)];
    const tiles = tilesOf(stencilOf({ windows, transposed }), chosenRows, chosenColumns);
    const what = `index ${index} (${emphasis}${transposed ? ", transposed" : ""})`;
    const cover = new Uint8Array(chosenRows.length * chosenColumns.length);
    const homes = new Uint8Array(chosenColumns.length);
    for (const { columns: coefficients, outputs } of tiles) {
      assertAscending(coefficients, chosenRows.length, what);
      assertAscending(outputs, chosenColumns.length, what);
      for (const output of outputs) homes[output]++;
      for (const row of coefficients) {
        for (const output of outputs) cover[row * chosenColumns.length + output]++;
        const isMet = outputs.some((output) => matrix[chosenRows[row] * columns + chosenColumns[output]] !== 0);
        assert.ok(isMet, `${what}: coefficient ${row} reaches no output of its block`);
      }
    }
    assert.ok(homes.every((count) => count <= 1), `${what}: an output in two blocks`);
    chosenRows.forEach((row, r) => {
      chosenColumns.forEach((column, c) => {
        const count = cover[r * chosenColumns.length + c];
        if (matrix[row * columns + column] !== 0) assert.equal(count, 1, `${what}: entry ${row}, ${column}`);
        else assert.ok(count <= 1, `${what}: zero ${row}, ${column} twice`);
      });
    });
    blocks += tiles.length;
    if (tiles.length > 1) severalBlocks++;
  }
  assert.ok(blocks > 1000 && severalBlocks > 200, `only ${blocks} blocks, ${severalBlocks} times more than one`);
});

function assertAscending(list: Int32Array, size: number, what: string): void {
  list.forEach((place, at) => {
    assert.ok(place >= 0 && place < size && (at === 0 || list[at - 1] < place), `${what}: places ${list}`);
  });
}
