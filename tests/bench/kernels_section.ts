/** Kernels against the register-only peak. */
import { measure } from "./kernels_bench.ts";
import { figure, percent, type Section } from "./report.ts";

/** What a matrix product is to reach of the peak. */
const GEMM_SHARE = 0.8;

export async function kernelsSection(samples: number): Promise<Section> {
  const measured = await measure(samples), [peak] = measured;
  return {
    title: "Kernels",
    columns: ["kernel", "GFLOP/s median", "best", "share of peak median", "best", "target"],
    rows: measured.map(({ name, unit, median, best }) => [
      name,
      figure(median),
      figure(best),
      unit === null ? percent(median / peak.median) : `${unit} a ns`,
      unit === null ? percent(best / peak.best) : "",
      name.startsWith("gemm ")
        ? `${percent(GEMM_SHARE)} (${median / peak.median >= GEMM_SHARE ? "met" : "MISSED"})`
        : "",
    ]),
    notes: [
      "The passes over rows are counted at 4 operations an element.",
      "Of packWindows an element is one of the packed blocks, of windowsBox an entry one of the matrix.",
    ],
    figures: measured,
  };
}
