/** Writes the unrolled tiles of the matrix product as AssemblyScript; `deno run wasm/generate_gemm.ts` prints them. */
import { CHUNK, NARROW, NARROW_CHUNK } from "../shared/kernels/kernels.ts";

/** A tile of `rows` rows of A and `panels` panels (four columns each) of B: 2 rows * panels vectors of sums. */
export interface Tile {
  readonly rows: number;
  readonly panels: number;
}

/**
 * Tiles with a loop over k, for few columns or few rows.
 *
 * The engines keep 15 vectors in registers: the sums, the two halves of a panel's row, a factor and a product. Five rows
 * (10 sums) fill them. With fewer rows the sums are fewer than the additions that must be under way, hence more panels.
 */
export const LOOP_TILES: readonly Tile[] = [
  { rows: 5, panels: 1 },
  { rows: 4, panels: 1 },
  { rows: 3, panels: 1 },
  { rows: 2, panels: 2 },
  { rows: 2, panels: 1 },
  { rows: 1, panels: 4 },
  { rows: 1, panels: 1 },
];

/** Rows of the tiles of one panel without a loop over k, whose coefficients lie at constant addresses. */
export const CONSTANT_TILES: readonly number[] = [5, 4, 3];

/** Steps of k in the body of a loop, and between the places where a tile without a loop may end. */
const UNROLL = 4;
/** Where constant addresses start: address 0 means "none", and a cache line is 64 bytes. */
const COEFFICIENTS = 64;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Address of the coefficient of row `i` in step `u`, which lies there twice; the steps of a tail follow those of a chunk. */
const coefficient = (rows: number, u: number, i: number): number => COEFFICIENTS + (u * rows + i) * 16;

/** The end of all coefficients, rounded up to a cache line. */
const ARENA_START = Math.ceil(coefficient(Math.max(...CONSTANT_TILES), CHUNK + UNROLL - 1, 0) / 64) * 64;

/** One step of k: every row's coefficient times the row of every panel, a product and a sum rounded apart. */
function step({ rows, panels }: Tile, rowOfPanel: (q: number) => string, load: (i: number) => string): string[] {
  return range(panels).flatMap((q) => [
    rowOfPanel(q),
    ...range(rows).flatMap((i) => [
      `s = ${load(i)};`,
      ...[0, 1].map((h) => `c${i}${q}${h} = f64x2.add(c${i}${q}${h}, f64x2.mul(s, b${h}));`),
    ]),
  ]);
}

/**
 * What all tiles share: `gap` times, sums from +0 (`first`) or from what `out` holds, `body`, and the sums to `out`.
 * The panels of a tile are `gap` apart, so that the processor sees one long stream of memory for each.
 */
function tileSource(
  name: string,
  tile: Tile,
  parameters: string,
  before: readonly string[],
  body: readonly string[],
  after: readonly string[] = [],
) {
  const places = range(tile.rows).flatMap((i) => range(tile.panels).map((q) => ({ i, q })));
  const sums = places.flatMap(({ i, q }) => [0, 1].map((h) => ({ sum: `c${i}${q}${h}`, at: `o${i}${q}`, by: h * 16 })));
  return [
    `export function ${name}(out: usize, out_bytes: usize, ${parameters}, gap: i32, first: bool): void {`,
    ...before,
    ...places.map(({ i, q }) => `let o${i}${q} = out + ${i} * out_bytes + ((<usize> (${q} * gap)) << 5);`),
    "let b0: v128, b1: v128, s: v128;",
    "for (; gap > 0; gap--) {",
    ...sums.map(({ sum }) => `let ${sum} = f64x2.splat(0);`),
    "if (!first) {",
    ...sums.map(({ sum, at, by }) => `${sum} = v128.load(${at}, ${by});`),
    "}",
    ...body,
    ...sums.map(({ sum, at, by }) => `v128.store(${at}, ${sum}, ${by});`),
    ...places.map(({ i, q }) => `o${i}${q} += 32;`),
    ...after,
    "}",
    "}",
  ].join("\n");
}

/** A tile over `depth` steps of rows of A, `row_bytes` apart, and the panels from `b` on. */
export function loopTileSource(tile: Tile): string {
  const { rows, panels } = tile;
  const loop = (end: string, steps: number) => [
    `while (p0 < ${end}) {`,
    ...range(steps).flatMap((u) =>
      step(
        tile,
        (q) => `b0 = v128.load(p${q}, ${u * 32}); b1 = v128.load(p${q}, ${u * 32 + 16});`,
        (i) => `v128.load64_splat(a${i}, ${u * 8})`,
      )
    ),
    ...range(rows).map((i) => `a${i} += ${steps * 8};`),
    ...range(panels).map((q) => `p${q} += ${steps * 32};`),
    "}",
  ];
  return tileSource(
    `loop_tile_${rows}x${panels}`,
    tile,
    "a: usize, row_bytes: usize, b: usize, depth: i32",
    [
      "const panel_bytes = (<usize> depth) << 5;",
      ...range(panels).map((q) => `let p${q} = b + <usize> (${q} * gap) * panel_bytes;`),
    ],
    [
      ...range(rows).map((i) => `let a${i} = a + ${i} * row_bytes;`),
      `const end = p0 + panel_bytes, whole = p0 + ((<usize> (depth & ~${UNROLL - 1})) << 5);`,
      ...loop("whole", UNROLL),
      ...loop("end", 1),
    ],
  );
}

/**
 * A tile over `whole` steps of a chunk (a multiple of four) and `tail` more (0 to 3); `skip` bytes lie behind each panel.
 *
 * Deno compares each address with the size of the memory in code, except one that is constant and below the memory's
 * initial size: so the coefficients lie at constant addresses, each twice, since `load64_splat` takes an instruction more
 * than `load`, and no step is in a loop. Only B needs a pointer; moving it by 16 gives every comparison the same limit. More
 * steps than CHUNK, or longer ones, fall out of the processor's cache of decoded operations.
 */
export function constantTileSource(rows: number): string {
  const tile = { rows, panels: 1 };
  const steps = (from: number, count: number, wanted: string, stretch: number) => [
    "do {",
    ...range(count).flatMap((u) => [
      ...(u % stretch === 0 ? [`if (${wanted} == ${u}) break;`] : []),
      ...step(
        tile,
        () => "b0 = v128.load(b); b += 16; b1 = v128.load(b); b += 16;",
        (i) => `v128.load(${coefficient(rows, from + u, i)})`,
      ),
    ]),
    "} while (false);",
  ];
  const body = [...steps(0, CHUNK, "whole", UNROLL), ...steps(CHUNK, UNROLL - 1, "tail", 1)];
  return tileSource(`constant_tile_${rows}`, tile, "b: usize, skip: usize, whole: i32, tail: i32", [], body, [
    "b += skip;",
  ]);
}

/** Copies the coefficients of a tile to their constant addresses: `load` says what of `rows` coefficients a step copies. */
function copySource(name: string, rows: number, parameters: string, before: string, load: readonly string[]): string {
  const copy = (from: number, count: string) => [
    `to = ${coefficient(rows, from, 0)}; end = to + <usize> ${count} * ${rows * 16};`,
    "while (to < end) {",
    ...load,
    "}",
  ];
  return [
    `export function ${name}_${rows}(${parameters}, whole: i32, tail: i32): void {`,
    before,
    "let to: usize, end: usize;",
    ...copy(0, "whole"),
    ...copy(CHUNK, "tail"),
    "}",
  ].join("\n");
}

/** From rows `row_bytes` apart. */
export function coefficientsSource(rows: number): string {
  const pointers = range(rows).map((i) => `let a${i} = a + ${i} * row_bytes;`).join(" ");
  return copySource("coefficients", rows, "a: usize, row_bytes: usize", pointers, [
    ...range(rows).map((i) => `v128.store(to, v128.load64_splat(a${i}), ${i * 16}); a${i} += 8;`),
    `to += ${rows * 16};`,
  ]);
}

/** From the columns of rows `row_bytes` apart whose numbers lie at `columns`. */
export function coefficientsAtSource(rows: number): string {
  const pointers = range(rows).map((i) => `const a${i} = a + ${i} * row_bytes;`).join(" ");
  return copySource("coefficients_at", rows, "a: usize, row_bytes: usize, columns: usize", pointers, [
    "const at = (<usize> load<u32>(columns)) << 3; columns += 4;",
    ...range(rows).map((i) => `v128.store(to, v128.load64_splat(a${i} + at)); to += 16;`),
  ]);
}

/** Copies the sums of `rows` rows to their outputs, or adds them: by pairs of an output and the place of its sum. */
export function scatterSource(rows: number): string {
  const loop = (store: (i: number) => string) => [
    "for (; pairs < end; pairs += 8) {",
    "const at = (<usize> load<u32>(pairs)) << 3, place = (<usize> load<u32>(pairs, 4)) << 3;",
    ...range(rows).map(store),
    "}",
  ];
  return [
    `export function scatter_${rows}(`,
    "out: usize, out_bytes: usize, sums: usize, sum_bytes: usize, pairs: usize, count: i32, add: bool): void {",
    ...range(rows).map((i) => `const o${i} = out + ${i} * out_bytes, s${i} = sums + ${i} * sum_bytes;`),
    "const end = pairs + ((<usize> count) << 3);",
    "if (add) {",
    ...loop((i) => `store<f64>(o${i} + at, load<f64>(o${i} + at) + load<f64>(s${i} + place));`),
    "} else {",
    ...loop((i) => `store<f64>(o${i} + at, load<f64>(s${i} + place));`),
    "}",
    "}",
  ].join("\n");
}

/** The source of every tile, and the numbers that the kernels and their host share. */
export function gemmTilesSource(): string {
  return [
    "// Written by wasm/generate_gemm.ts.",
    `export const CHUNK: i32 = ${CHUNK}, NARROW: i32 = ${NARROW}, NARROW_CHUNK: i32 = ${NARROW_CHUNK};`,
    `export const arena_start: usize = ${ARENA_START};`,
    ...LOOP_TILES.map(loopTileSource),
    ...CONSTANT_TILES.flatMap((rows) => [
      constantTileSource(rows),
      coefficientsSource(rows),
      coefficientsAtSource(rows),
    ]),
    ...range(Math.max(...CONSTANT_TILES)).map((i) => scatterSource(i + 1)),
    "",
  ].join("\n");
}

if (import.meta.main) console.log(gemmTilesSource());
