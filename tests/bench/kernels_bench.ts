/**
 * Speed of the WebAssembly kernels against the machine's own limit, measured in the same run.
 *
 * `deno run -A tests/bench/kernels_bench.ts [samples] [pattern of names]` prints a table. One thread; keep the other cores idle.
 */
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import module from "../../wasm/dist/kernels.js";
import { type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { packedLength } from "../../shared/kernels/packed.ts";
import { openPeak } from "./peak.ts";
import { windowProbes } from "./window_probes.ts";

/** One thing to time: `operations` floating point operations a call, or what `unit` says. */
export interface Probe {
  readonly name: string;
  readonly operations: number;
  readonly unit?: string;
  run(): void;
}

export interface Measured {
  readonly name: string;
  readonly unit: string | null;
  /** Operations per nanosecond: GFLOP/s. */
  readonly median: number;
  readonly best: number;
}

/** Shapes rows x k x n of the matrix product. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [64, 64, 64],
  [256, 784, 256],
  [512, 512, 512],
  [10, 784, 256],
  [120, 130, 130],
  [120, 20, 784],
  [1, 784, 256],
  [7, 12, 100],
  [64, 288, 32],
];

function peakProbe(): Probe {
  return { name: "peak", ...openPeak() };
}

const numbers = (rows: number, columns: number): Float64Array =>
  Float64Array.from(
    { length: rows * paddedLength(columns) },
    (_, i) => i % paddedLength(columns) < columns ? Math.sin(i) : 0,
  );

/** Named apart where coefficients are f32, whose peak is twice that of f64. */
const inKind = (name: string, { precision }: Kernels): string => precision === "f64" ? name : `f32 ${name}`;

function gemmProbe(kernels: Kernels, [rows, k, n]: readonly [number, number, number]): Probe {
  const packed = kernels.allocateCoefficients(packedLength(k, n, kernels.precision));
  const out = kernels.allocateCoefficients(rows * paddedLength(n));
  kernels.packMatrix({ out: packed, matrix: kernels.upload(numbers(k, n)), k, n });
  const a = kernels.uploadCoefficients(numbers(rows, k));
  return {
    name: inKind(`gemm ${rows}x${k}x${n}`, kernels),
    operations: 2 * rows * k * n,
    run: () => kernels.gemm({ out, a, packed, rows, k, n }),
  };
}

/** The passes over rows, at 4 operations an element (two products, two sums) and 100 rows of 256. */
function rowProbes(kernels: Kernels): Probe[] {
  const rows = 100, columns = 256;
  const coefficients = kernels.uploadCoefficients(numbers(rows, columns)),
    table = kernels.upload(numbers(4, columns).fill(1));
  const groups = kernels.uploadIndices(new Int32Array(rows));
  const constants = kernels.allocate(rows), magnitudes = kernels.allocate(rows);
  const call = { rows, columns, coefficients, groups, constants, magnitudes };
  const out = kernels.allocate(4 * rows), matrix = kernels.upload(numbers(rows, columns));
  const runs: Readonly<Record<string, () => void>> = {
    relaxRows: () => kernels.relaxRows({ ...call, table }),
    absorbRows: () => kernels.absorbRows({ ...call, bias: table, q: table }),
    concretizeRows: () => kernels.concretizeRows({ ...call, box: table }),
    affineBox: () => kernels.affineBox({ out, matrix, box: table, groups: 1, rows, columns }),
  };
  return Object.entries(runs).map(([name, run]) => ({
    name: inKind(`${name} ${rows}x${columns}`, kernels),
    operations: 4 * rows * columns,
    run,
  }));
}

/** Interleaves short samples of every probe, so that a disturbance falls on all of them alike. */
export async function measure(samples: number, wanted = /./): Promise<Measured[]> {
  const kernels = wasmKernels(module);
  const products = [kernels, kernels.single].flatMap((one) => SHAPES.map((shape) => gemmProbe(one, shape)));
  const blocks = windowProbes(kernels.single).filter(({ name }) => name.startsWith("gemmBlocks"))
    .map((probe) => ({ ...probe, name: `f32 ${probe.name}` }));
  const rows = [...rowProbes(kernels), ...rowProbes(kernels.single).filter(({ name }) => !name.includes("affineBox"))];
  const probes = [peakProbe(), ...products, ...windowProbes(kernels), ...blocks, ...rows]
    .filter(({ name }, p) => p === 0 || wanted.test(name));
  const repeats = probes.map(({ operations, unit }) => Math.max(1, Math.round((unit ? 4e6 : 4e7) / operations)));
  const rates: number[][] = probes.map(() => []);
  // The engine compiles the optimised code in the background, so the first rounds leave it time.
  for (let round = 0; round < 5; round++) {
    probes.forEach(({ run }, p) => Array.from({ length: Math.ceil(repeats[p] / 5) }, run));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (let sample = 0; sample < samples; sample++) {
    probes.forEach(({ operations, run }, p) => {
      const start = performance.now();
      for (let i = 0; i < repeats[p]; i++) run();
      rates[p].push(operations * repeats[p] / ((performance.now() - start) * 1e6));
    });
  }
  return probes.map(({ name, unit = null }, p) => {
    const sorted = rates[p].sort((x, y) => x - y);
    return { name, unit, median: sorted[Math.floor(samples / 2)], best: sorted[samples - 1] };
  });
}

if (import.meta.main) {
  const measured = await measure(Number(Deno.args[0] ?? 60), new RegExp(Deno.args[1] ?? "."));
  const [peak] = measured;
  console.log("kernel".padEnd(40), "GFLOP/s median   best   share of peak median   best");
  for (const { name, unit, median, best } of measured) {
    const share = [median / peak.median, best / peak.best].map((x) => `${Math.round(100 * x)} %`.padStart(8));
    const shares = unit === null ? share : [`${unit} a ns`];
    console.log(
      name.padEnd(40),
      median.toFixed(2).padStart(14),
      best.toFixed(2).padStart(6),
      "            ",
      ...shares,
    );
  }
}
