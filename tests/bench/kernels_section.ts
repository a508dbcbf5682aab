/** Kernels against the register-only peak. */
import { measure } from "./kernels_bench.ts";
import { figure, percent, type Section } from "./report.ts";

export async function kernelsSection(samples: number): Promise<Section> {
  const measured = await measure(samples), [peak] = measured;
  return {
    title: "Kernels",
    columns: ["kernel", "GFLOP/s median", "best", "share of peak median", "best"],
    rows: measured.map(({ name, median, best }) => [
      name,
      figure(median),
      figure(best),
      percent(median / peak.median),
      percent(best / peak.best),
    ]),
    notes: ["Target for gemm: 80 % of the peak. The passes over rows are counted at 4 operations an element."],
    figures: measured,
  };
}
