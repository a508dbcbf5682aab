/** Writes the unrolled tiles of the matrix product as AssemblyScript; `deno run wasm/generate_gemm.ts` prints them. */

/** A tile of `rows` rows of A and `panels` panels (four columns each) of B: 2 rows * panels vectors of sums. */
export interface Tile {
  readonly rows: number;
  readonly panels: number;
}

/**
 * The engines keep 15 vectors in registers: the sums, the two halves of a panel's row, a factor and a product. Five rows
 * (10 sums) fill them. With fewer rows the sums are fewer than the additions that must be under way, hence more panels.
 */
export const TILES: readonly Tile[] = [
  { rows: 5, panels: 1 },
  { rows: 4, panels: 1 },
  { rows: 3, panels: 1 },
  { rows: 2, panels: 2 },
  { rows: 2, panels: 1 },
  { rows: 1, panels: 4 },
  { rows: 1, panels: 1 },
];

/** Steps of k in the body of the loop. */
const UNROLL = 4;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** One step of k: every row's factor times the row of every panel, a product and a sum rounded apart. */
function step({ rows, panels }: Tile, u: number): string[] {
  const lines: string[] = [];
  for (const q of range(panels)) {
    lines.push(`b0 = v128.load(p${q}, ${u * 32}); b1 = v128.load(p${q}, ${u * 32 + 16});`);
    for (const i of range(rows)) {
      lines.push(`s = v128.load64_splat(a${i}, ${u * 8});`);
      for (const h of [0, 1]) lines.push(`c${i}${q}${h} = f64x2.add(c${i}${q}${h}, f64x2.mul(s, b${h}));`);
    }
  }
  return lines;
}

function loop(tile: Tile, condition: string, steps: number): string[] {
  const pointers = [
    ...range(tile.rows).map((i) => `a${i} += ${steps * 8};`),
    ...range(tile.panels).map((q) => `p${q} += ${steps * 32};`),
  ];
  return [`while (p0 < ${condition}) {`, ...range(steps).flatMap((u) => step(tile, u)), ...pointers, "}"];
}

/** The source of one tile. `first` starts the sums at +0, otherwise they go on from what `out` holds. */
export function tileSource(tile: Tile): string {
  const { rows, panels } = tile;
  const sums = range(rows).flatMap((i) => range(panels).flatMap((q) => [0, 1].map((h) => ({ i, q, h }))));
  const name = ({ i, q, h }: { i: number; q: number; h: number }) => `c${i}${q}${h}`;
  const place = ({ i, q, h }: { i: number; q: number; h: number }) => `o${i}, ${q * 32 + h * 16}`;
  return [
    `export function tile_${rows}x${panels}(out: usize, out_bytes: usize, a: usize, row_bytes: usize, b: usize, ` +
    "panel_bytes: usize, depth: i32, first: bool): void {",
    ...range(rows).map((i) => `let a${i} = ${i === 0 ? "a" : `a${i - 1} + row_bytes`};`),
    ...range(rows).map((i) => `const o${i} = ${i === 0 ? "out" : `o${i - 1} + out_bytes`};`),
    ...range(panels).map((q) => `let p${q} = ${q === 0 ? "b" : `p${q - 1} + panel_bytes`};`),
    "let b0: v128, b1: v128, s: v128;",
    ...sums.map((sum) => `let ${name(sum)} = f64x2.splat(0);`),
    "if (!first) {",
    ...sums.map((sum) => `${name(sum)} = v128.load(${place(sum)});`),
    "}",
    `const whole = b + ((<usize> (depth & ~${UNROLL - 1})) << 5), end = b + ((<usize> depth) << 5);`,
    ...loop(tile, "whole", UNROLL),
    ...loop(tile, "end", 1),
    ...sums.map((sum) => `v128.store(${place(sum).split(", ")[0]}, ${name(sum)}, ${place(sum).split(", ")[1]});`),
    "}",
  ].join("\n");
}

/** The source of every tile. */
export function gemmTilesSource(): string {
  return ["// Written by wasm/generate_gemm.ts.", ...TILES.map(tileSource), ""].join("\n");
}

if (import.meta.main) console.log(gemmTilesSource());
