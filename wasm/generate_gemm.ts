/** Writes the unrolled tiles of the matrix product as AssemblyScript; `deno run wasm/generate_gemm.ts` prints them. */
import { CHUNK, CHUNK_F32, NARROW, NARROW_CHUNK, type Precision } from "../shared/kernels/packed.ts";

/** A tile of `rows` rows of A and `panels` panels (32 bytes of columns each) of B: 2 rows * panels vectors of sums. */
export interface Tile {
  readonly rows: number;
  readonly panels: number;
}

/** How the numbers of a precision are loaded and computed with. */
interface Element {
  /** Behind the names of what is generated. */
  readonly suffix: string;
  readonly type: string;
  readonly vector: string;
  readonly splat: string;
  /** Binary logarithm of the bytes of a number. */
  readonly shift: number;
}

const ELEMENTS: Readonly<Record<Precision, Element>> = {
  f64: { suffix: "", type: "f64", vector: "f64x2", splat: "load64_splat", shift: 3 },
  f32: { suffix: "_f32", type: "f32", vector: "f32x4", splat: "load32_splat", shift: 2 },
};

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

/** In f32 chunks are short for few columns too: loops are for one and two rows. */
const LOOP_TILES_F32 = LOOP_TILES.filter(({ rows }) => rows < 3);

/** Steps of k in the body of a loop, and between the places where a tile without a loop may end. */
const UNROLL = 4;
/** Where constant addresses start: address 0 means "none", and a cache line is 64 bytes. */
const COEFFICIENTS = 64;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Address of the coefficient of row `i` in step `u`, which lies there twice; the steps of a tail follow those of a chunk. */
const coefficient = (rows: number, u: number, i: number): number => COEFFICIENTS + (u * rows + i) * 16;

/** The end of all coefficients, rounded up to a cache line. */
const ARENA_START = Math.ceil(coefficient(Math.max(...CONSTANT_TILES), CHUNK + UNROLL - 1, 0) / 64) * 64;

/** Halves of a panel: in f32 the last panel of a matrix may be its first half alone, since rows of sums end there. */
type Halves = readonly number[];
const WHOLE: Halves = [0, 1], FIRST: Halves = [0];

/** One step of k: every row's coefficient times the row of every panel, a product and a sum rounded apart. */
function step(
  { rows, panels }: Tile,
  { vector }: Element,
  rowOfPanel: (q: number) => string,
  load: (i: number) => string,
  halves: Halves = WHOLE,
): string[] {
  return range(panels).flatMap((q) => [
    rowOfPanel(q),
    ...range(rows).flatMap((i) => [
      `s = ${load(i)};`,
      ...halves.map((h) => `c${i}${q}${h} = ${vector}.add(c${i}${q}${h}, ${vector}.mul(s, b${h}));`),
    ]),
  ]);
}

/**
 * What all tiles share: `gap` times, sums from +0, `body`, and the sums to `out`. In f64 sums go on from what `out` holds
 * unless they are the `first`; in f32 they are a chunk's own, and what `out` holds is added at the end.
 * The panels of a tile are `gap` apart, so that the processor sees one long stream of memory for each.
 */
function tileSource(
  name: string,
  tile: Tile,
  { suffix, vector }: Element,
  parameters: string,
  before: readonly string[],
  body: readonly string[],
  after: readonly string[] = [],
  halves: Halves = WHOLE,
) {
  const places = range(tile.rows).flatMap((i) => range(tile.panels).map((q) => ({ i, q })));
  const sums = places.flatMap(({ i, q }) => halves.map((h) => ({ sum: `c${i}${q}${h}`, at: `o${i}${q}`, by: h * 16 })));
  const goOn = sums.map(({ sum, at, by }) => `${sum} = v128.load(${at}, ${by});`);
  const join = sums.map(({ sum, at, by }) => `${sum} = ${vector}.add(v128.load(${at}, ${by}), ${sum});`);
  return [
    `export function ${name}${suffix}(out: usize, out_bytes: usize, ${parameters}, gap: i32, first: bool): void {`,
    ...before,
    ...places.map(({ i, q }) => `let o${i}${q} = out + ${i} * out_bytes + ((<usize> (${q} * gap)) << 5);`),
    "let b0: v128, b1: v128, s: v128;",
    "for (; gap > 0; gap--) {",
    ...sums.map(({ sum }) => `let ${sum} = ${vector}.splat(0);`),
    ...(suffix === "" ? ["if (!first) {", ...goOn, "}"] : []),
    ...body,
    ...(suffix === "" ? [] : ["if (!first) {", ...join, "}"]),
    ...sums.map(({ sum, at, by }) => `v128.store(${at}, ${sum}, ${by});`),
    ...places.map(({ i, q }) => `o${i}${q} += 32;`),
    ...after,
    "}",
    "}",
  ].join("\n");
}

/** A tile over `depth` steps of rows of A, `row_bytes` apart, and the panels (of the last one half) from `b` on. */
export function loopTileSource(tile: Tile, precision: Precision = "f64", halves: Halves = WHOLE): string {
  const { rows, panels } = tile, element = ELEMENTS[precision], bytes = 1 << element.shift;
  const loop = (end: string, steps: number) => [
    `while (p0 < ${end}) {`,
    ...range(steps).flatMap((u) =>
      step(
        tile,
        element,
        (q) => halves.map((h) => `b${h} = v128.load(p${q}, ${u * 32 + h * 16});`).join(" "),
        (i) => `v128.${element.splat}(a${i}, ${u * bytes})`,
        halves,
      )
    ),
    ...range(rows).map((i) => `a${i} += ${steps * bytes};`),
    ...range(panels).map((q) => `p${q} += ${steps * 32};`),
    "}",
  ];
  return tileSource(
    halves === WHOLE ? `loop_tile_${rows}x${panels}` : `half_loop_tile_${rows}`,
    tile,
    element,
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
    [],
    halves,
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
export function constantTileSource(rows: number, precision: Precision = "f64"): string {
  const tile = { rows, panels: 1 }, element = ELEMENTS[precision];
  const steps = (from: number, count: number, wanted: string, stretch: number) => [
    "do {",
    ...range(count).flatMap((u) => [
      ...(u % stretch === 0 ? [`if (${wanted} == ${u}) break;`] : []),
      ...step(
        tile,
        element,
        () => "b0 = v128.load(b); b += 16; b1 = v128.load(b); b += 16;",
        (i) => `v128.load(${coefficient(rows, from + u, i)})`,
      ),
    ]),
    "} while (false);",
  ];
  const most = precision === "f64" ? CHUNK : CHUNK_F32;
  const body = [...steps(0, most, "whole", UNROLL), ...steps(CHUNK, UNROLL - 1, "tail", 1)];
  return tileSource(`constant_tile_${rows}`, tile, element, "b: usize, skip: usize, whole: i32, tail: i32", [], body, [
    "b += skip;",
  ]);
}

/** The same for the first half of one panel, which is rare: a loop, one step after the other. */
export function halfTileSource(rows: number, precision: Precision): string {
  const tile = { rows, panels: 1 }, element = ELEMENTS[precision];
  const loop = (from: number, count: string) => [
    `at = ${coefficient(rows, from, 0)}; end = at + <usize> ${count} * ${rows * 16};`,
    "while (at < end) {",
    ...step(tile, element, () => "b0 = v128.load(b);", (i) => `v128.load(at, ${i * 16})`, FIRST),
    `b += 32; at += ${rows * 16};`,
    "}",
  ];
  const body = ["let at: usize, end: usize;", ...loop(0, "whole"), ...loop(CHUNK, "tail")];
  return tileSource(`half_tile_${rows}`, tile, element, "b: usize, whole: i32, tail: i32", [], body, [], FIRST);
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
export function coefficientsSource(rows: number, precision: Precision = "f64"): string {
  const { suffix, splat, shift } = ELEMENTS[precision];
  const pointers = range(rows).map((i) => `let a${i} = a + ${i} * row_bytes;`).join(" ");
  return copySource(`coefficients${suffix}`, rows, "a: usize, row_bytes: usize", pointers, [
    ...range(rows).map((i) => `v128.store(to, v128.${splat}(a${i}), ${i * 16}); a${i} += ${1 << shift};`),
    `to += ${rows * 16};`,
  ]);
}

/** From the columns of rows `row_bytes` apart whose numbers lie at `columns`. */
export function coefficientsAtSource(rows: number, precision: Precision = "f64"): string {
  const { suffix, splat, shift } = ELEMENTS[precision];
  const pointers = range(rows).map((i) => `const a${i} = a + ${i} * row_bytes;`).join(" ");
  return copySource(`coefficients_at${suffix}`, rows, "a: usize, row_bytes: usize, columns: usize", pointers, [
    `const at = (<usize> load<u32>(columns)) << ${shift}; columns += 4;`,
    ...range(rows).map((i) => `v128.store(to, v128.${splat}(a${i} + at)); to += 16;`),
  ]);
}

/** Copies the sums of `rows` rows to their outputs, or adds them: by pairs of an output and the place of its sum. */
export function scatterSource(rows: number, precision: Precision = "f64"): string {
  const { suffix, type, shift } = ELEMENTS[precision];
  const loop = (store: (i: number) => string) => [
    "for (; pairs < end; pairs += 8) {",
    `const at = (<usize> load<u32>(pairs)) << ${shift}, place = (<usize> load<u32>(pairs, 4)) << ${shift};`,
    ...range(rows).map(store),
    "}",
  ];
  return [
    `export function scatter${suffix}_${rows}(`,
    "out: usize, out_bytes: usize, sums: usize, sum_bytes: usize, pairs: usize, count: i32, add: bool): void {",
    ...range(rows).map((i) => `const o${i} = out + ${i} * out_bytes, s${i} = sums + ${i} * sum_bytes;`),
    "const end = pairs + ((<usize> count) << 3);",
    "if (add) {",
    ...loop((i) => `store<${type}>(o${i} + at, load<${type}>(o${i} + at) + load<${type}>(s${i} + place));`),
    "} else {",
    ...loop((i) => `store<${type}>(o${i} + at, load<${type}>(s${i} + place));`),
    "}",
    "}",
  ].join("\n");
}

/** The source of every tile, and the numbers that the kernels and their host share. */
export function gemmTilesSource(): string {
  return [
    "// Written by wasm/generate_gemm.ts.",
    `export const CHUNK: i32 = ${CHUNK}, CHUNK_F32: i32 = ${CHUNK_F32}, NARROW: i32 = ${NARROW}, NARROW_CHUNK: i32 = ${NARROW_CHUNK};`,
    `export const arena_start: usize = ${ARENA_START};`,
    ...LOOP_TILES.map((tile) => loopTileSource(tile)),
    ...LOOP_TILES_F32.map((tile) => loopTileSource(tile, "f32")),
    ...[1, 2].map((rows) => loopTileSource({ rows, panels: 1 }, "f32", FIRST)),
    ...CONSTANT_TILES.map((rows) => halfTileSource(rows, "f32")),
    ...(["f64", "f32"] as const).flatMap((precision) => [
      ...CONSTANT_TILES.flatMap((rows) => [
        constantTileSource(rows, precision),
        coefficientsSource(rows, precision),
        coefficientsAtSource(rows, precision),
      ]),
      ...range(Math.max(...CONSTANT_TILES)).map((i) => scatterSource(i + 1, precision)),
    ]),
    "",
  ].join("\n");
}

if (import.meta.main) console.log(gemmTilesSource());
