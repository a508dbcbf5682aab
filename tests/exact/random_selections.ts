/** Random selections of the values of a feature map: pads, slices, permutations, picks, scattered sums. */
import type { Grid } from "../../shared/graph.ts";
import type { Random } from "./random.ts";
import { MOST_VALUES, positions, valuesOf } from "./random_windows.ts";

export const SELECTIONS = [
  "pad",
  "slice",
  "reverse",
  "channels last",
  "shuffle",
  "picks",
  "repeat",
  "scatter",
] as const;
export type SelectionKind = typeof SELECTIONS[number];

export interface RandomSelection {
  readonly map: Int32Array;
  readonly transposed: boolean;
  /** The feature map that results. */
  readonly grid: Grid;
}

/** Throws nothing: what does not fit into {@link MOST_VALUES} becomes a shuffle. */
export function randomSelection(random: Random, grid: Grid, batch: number, kind: SelectionKind): RandomSelection {
  const size = valuesOf(grid, batch);
  switch (kind) {
    case "pad": {
      const [top, left] = [grid.height === 1 ? 0 : random.integer(0, 2), random.integer(0, 2)];
      const padded = {
        channels: grid.channels,
        height: grid.height + top + (grid.height === 1 ? 0 : random.integer(0, 1)),
        width: grid.width + left + random.integer(0, 2),
      };
      if (valuesOf(padded, batch) > MOST_VALUES) break;
      return moved(grid, padded, batch, (y) => y - top, (x) => x - left);
    }
    case "slice": {
      const step = random.pick([1, 1, 2]), from = random.integer(0, Math.max(0, grid.width - 2));
      const width = Math.max(1, Math.ceil((grid.width - from - random.integer(0, 1)) / step));
      return moved(grid, { ...grid, width }, batch, (y) => y, (x) => from + step * x);
    }
    case "reverse":
      return moved(grid, grid, batch, (y) => grid.height - 1 - y, (x) => grid.width - 1 - x);
    case "channels last": {
      // What an exporter's transpose does: the same numbers in another order.
      const area = positions(grid), plane = grid.channels * area;
      const map = Int32Array.from({ length: size }, (_, i) => {
        const inner = i % plane;
        return i - inner + (inner % grid.channels) * area + Math.floor(inner / grid.channels);
      });
      return { map, transposed: false, grid };
    }
    case "repeat": {
      const times = random.integer(2, 3), wider = { ...grid, width: grid.width * times };
      if (valuesOf(wider, batch) > MOST_VALUES) break;
      return moved(grid, wider, batch, (y) => y, (x) => Math.floor(x / times));
    }
    case "picks": {
      const pick = () => random.chance(0.1) ? -1 : random.integer(0, size - 1);
      return { map: Int32Array.from({ length: size }, pick), transposed: false, grid };
    }
    case "scatter": {
      // Some places get several values, some none, and some values go nowhere.
      const place = () => random.chance(0.1) ? -1 : random.integer(0, size - 1);
      return { map: Int32Array.from({ length: size }, place), transposed: true, grid };
    }
    case "shuffle":
  }
  const map = Int32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [map[i], map[j]] = [map[j], map[i]];
  }
  return { map, transposed: random.chance(0.3), grid };
}

/** Value (y, x) of the new map is (down(y), along(x)) of the old one, 0 outside. */
function moved(
  from: Grid,
  to: Grid,
  batch: number,
  down: (y: number) => number,
  along: (x: number) => number,
): RandomSelection {
  const map = new Int32Array(valuesOf(to, batch)).map((_, i) => {
    const x = along(i % to.width), y = down(Math.floor(i / to.width) % to.height);
    const plane = Math.floor(i / positions(to));
    return x < 0 || x >= from.width || y < 0 || y >= from.height ? -1 : (plane * from.height + y) * from.width + x;
  });
  return { map, transposed: false, grid: to };
}

/** Where the channels of two maps of the same positions go when one is put behind the other: [map of a, map of b]. */
export function concatenation(a: Grid, b: Grid, batch: number): readonly [Int32Array, Int32Array] {
  const both = { ...a, channels: a.channels + b.channels }, area = positions(a);
  const maps = [
    new Int32Array(valuesOf(both, batch)).fill(-1),
    new Int32Array(valuesOf(both, batch)).fill(-1),
  ] as const;
  for (let i = 0; i < maps[0].length; i++) {
    const plane = Math.floor(i / area), channel = plane % both.channels, n = Math.floor(plane / both.channels);
    if (channel < a.channels) maps[0][i] = (n * a.channels + channel) * area + i % area;
    else maps[1][i] = (n * b.channels + channel - a.channels) * area + i % area;
  }
  return maps;
}
