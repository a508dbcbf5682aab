import assert from "node:assert/strict";
import { createKernels } from "../../functions/kernels.ts";
import type { Finding } from "../../shared/certificate/finding.ts";
import { exact } from "../exact/dyadic.ts";
import { runSearches } from "./search_campaign.ts";
import { judgeJacobian, judgeLipschitz, judgeMonotonicity, judgeOutputs, judgeRobustness } from "./truth_claims.ts";

const SEED = 20_261_127;
const NETWORKS = 30;
/** The share of constants that so many nodes have to close. */
const CLOSED = 1, NODES = 4096;

Deno.test(`certify() with a search never contradicts all regions of troubled networks, and closes all constants (seed ${SEED})`, async () => {
  const report = await runSearches({
    seed: SEED,
    networks: NETWORKS,
    kernels: createKernels(2 ** 28),
    max_nodes: NODES,
  });
  assert.deepEqual(report.found, []);
  assert.ok(report.regions >= 300, `${report.regions} regions`);
  for (const kind of ["lipschitz", "lipschitz rows"] as const) {
    const { questions, unsupported, closed } = report.properties[kind]!;
    assert.deepEqual([questions, unsupported], [NETWORKS, 0]);
    assert.ok(closed >= CLOSED * questions, `${kind}: ${closed} of ${questions} closed\n${report.open.join("\n")}`);
  }
});

const range = (least: number, most: number) => ({ least: exact(least), most: exact(most) });
/** Constant 2, derivatives -1 to 1 and 0 to 0.5, values -1 to 3. */
const facts = {
  truths: [{ constant: exact(2), derivatives: [range(-1, 1), range(0, 0.5)] }],
  ranges: [range(-1, 3)],
};
const norm = (lower: number, upper: number, isExact: boolean): Extract<Finding, { type: "lipschitz" }> => ({
  type: "lipschitz",
  norm: "linf->linf",
  upper,
  lower,
  gap: (upper - lower) / upper,
  exact: isExact,
  outputs: [{ output: 0, upper, lower }],
  witness: { output: 0, point: [0, 0] },
});

Deno.test("judgeLipschitz() tells a bound on the wrong side and a false `exact` from what is true", () => {
  const judge = (...claim: Parameters<typeof norm>) => judgeLipschitz(norm(...claim), facts);
  assert.deepEqual(judge(1.5, 2.5, false), { found: [], closed: false });
  assert.deepEqual(judge(2, 2 + 1e-7, true), { found: [], closed: true });
  assert.equal(judge(1, 2 - 2 ** -51, false).found.length, 2);
  assert.equal(judge(2 + 2 ** -51, 3, false).found.length, 2);
  assert.equal(judge(1, 2, true).found.length, 1);
});

Deno.test("judgeOutputs() and judgeJacobian() tell a range that leaves something out, and one that leaves nothing open", () => {
  const outputs = (lower: number, upper: number) =>
    judgeOutputs({ type: "output_bounds", lower: [lower], upper: [upper] }, facts);
  assert.deepEqual(outputs(-1, 3), { found: [], closed: true });
  assert.deepEqual(outputs(-1, 3.1), { found: [], closed: false });
  assert.equal(outputs(-0.99, 3).found.length, 1);
  const jacobian = (upper: number) =>
    judgeJacobian({ type: "jacobian_bounds", outputs: [{ output: 0, lower: [-1, 0], upper: [1, upper] }] }, facts);
  assert.deepEqual(jacobian(0.5), { found: [], closed: true });
  assert.equal(jacobian(0.25).found.length, 1);
});

Deno.test("judgeMonotonicity() and judgeRobustness() tell a false direction, a false verdict and an open one", () => {
  const direction = (first: "neither" | "unknown" | "decreasing", second: "increasing" | "constant" | "neither") =>
    judgeMonotonicity({
      type: "monotonicity",
      output: 0,
      features: [first, second].map((direction, feature) => ({
        feature,
        direction,
        lower: -1,
        upper: 1,
        witnesses: [],
      })),
    }, facts);
  assert.deepEqual(direction("neither", "increasing"), { found: [], closed: true });
  assert.deepEqual(direction("unknown", "increasing"), { found: [], closed: false });
  assert.equal(direction("decreasing", "constant").found.length, 2);
  assert.equal(direction("neither", "neither").found.length, 1);
  const robust = (verdict: "certified" | "refuted" | "unknown", lower: number, least: number) =>
    judgeRobustness(
      { type: "robustness", label: 0, margins: [{ output: 1, lower }], counterexample: null },
      verdict,
      { truths: [], ranges: [range(least, 3)] },
    );
  assert.deepEqual(robust("refuted", -1, -1), { found: [], closed: true });
  assert.equal(robust("certified", -1, -1).found.length, 1);
  assert.equal(robust("refuted", 0.5, 0.5).found.length, 1);
  assert.equal(robust("unknown", 0.75, 0.5).found.length, 1);
  assert.deepEqual(robust("unknown", 0, 0), { found: [], closed: true });
});
