import assert from "node:assert/strict";
import type { Answer, Done } from "./answers.ts";
import { caseRecord, judge, restrictedTo } from "./record.ts";
import { bestPeer, type OpenCase, outputsAsked, radiusOf } from "./stored.ts";
import { caseMarkdown } from "./tables.ts";

const CASE: OpenCase = {
  test_index: 3,
  input: [0.5],
  eps: 1 / 255,
  eps_text: "1/255",
  output_at_input: [0, 2, 1],
  results: {
    "bp@0.3.1/f32": { per_output: [9, 10, null] },
    "bp@0.7.1-batch256/f64": { per_output: [null, 11, null] },
    "recurjac@0.3.1/f64": { error: "out of memory: 1 byte" },
    "ibp@0.7.1/f32": { per_output: [20, 30, 40] },
    "bp_alpha@0.3.1/f64": { per_output: [1, 1, 1] },
  },
  exact: { complete: true, per_output: [8, 9, 7] },
  sampled_lower: { per_output: [8, 8, 7] },
};
const DONE: Done = {
  ...{ status: "done", uppers: [9, 10], lowers: [7, 8], seconds: 0.5, gflop: 1, peakGflops: 10 },
  ...{ kernelBytes: 1e6, residentBytes: null },
};
const answer = (changes: Partial<Done> = {}, method: Answer["method"] = "linear"): Answer => ({
  ...{ box: 0, method },
  ...{ ...DONE, ...changes },
});
const judged = (changes: Partial<Done>, method?: Answer["method"]) =>
  judge(caseRecord(CASE, [0, 1], []), answer(changes, method));

Deno.test("bestPeer() prefers float64 runs, takes any version and options, and no other method", () => {
  assert.deepEqual([0, 1, 2].map((k) => bestPeer(CASE, "bp", k)), [9, 11, null]);
  assert.equal(bestPeer(CASE, "recurjac", 0), null);
  assert.equal(bestPeer(CASE, "ibp", 2), 40);
});

Deno.test("outputsAsked() takes what was bounded linearly, then what was for the same input, then the predicted output", () => {
  assert.deepEqual(outputsAsked(CASE, "stored", [CASE]), [0, 1]);
  assert.deepEqual(outputsAsked({ ...CASE, results: {} }, "stored", [CASE]), [0, 1]);
  assert.deepEqual(outputsAsked({ ...CASE, results: {} }, "stored", []), [1]);
  assert.deepEqual(outputsAsked({ ...CASE, results: {} }, 2, []), [0, 1]);
  assert.deepEqual(outputsAsked(CASE, "all", []), [0, 1, 2]);
});

Deno.test("radiusOf() reads fractions and decimals and refuses anything else", () => {
  assert.equal(radiusOf("8/255"), 8 / 255);
  assert.equal(radiusOf("0.02"), 0.02);
  for (const text of ["1/2/3", "x", "-1", "1/0"]) assert.throws(() => radiusOf(text), RangeError);
});

Deno.test("judge() flags a bound looser than the peers' counterpart by more than 1e-4 at any output", () => {
  assert.deepEqual(judged({}), { ratio: 1, isLooser: false, mistakes: [] });
  assert.equal(judged({ uppers: [9 * (1 + 0.9e-4), 10] }).isLooser, false);
  assert.equal(judged({ uppers: [9 * (1 + 1.1e-4), 10] }).isLooser, true);
  assert.equal(judged({ uppers: [null, 10] }).isLooser, true);
  assert.equal(judged({ uppers: [19, 30] }, "interval").isLooser, false);
  assert.equal(judged({ uppers: [1e9, 1e9] }, "product").ratio, null);
});

Deno.test("judge() calls an upper bound below the exact value a mistake, and a lower bound above it", () => {
  assert.equal(judged({ uppers: [8 * (1 - 0.9e-9), 10] }).mistakes.length, 0);
  assert.match(judged({ uppers: [8.5, 8.9] }).mistakes[0], /output 1: upper 8.9 below the exact 9/);
  assert.match(judged({ lowers: [8.1, 8] }).mistakes[0], /output 0: lower 8.1 above the exact 8/);
  const open = caseRecord({ ...CASE, exact: null }, [0, 1], []);
  assert.match(judge(open, answer({ uppers: [7.9, 8] })).mistakes[0], /output 0: upper 7.9 below the sampled 8/);
  const failed: Answer = { box: 0, method: "linear", status: "failed", detail: "why" };
  assert.deepEqual(judge(open, failed).mistakes, ["why"]);
  assert.deepEqual(judge(open, { ...failed, status: "stopped" }).mistakes, []);
});

Deno.test("restrictedTo() keeps the values of the outputs that are left", () => {
  const one = restrictedTo(caseRecord(CASE, [0, 1], [answer()]), [1]);
  assert.deepEqual([one.exact, one.best.bp, one.best.ibp], [[9], [11], [30]]);
  assert.deepEqual((one.answers[0] as Done).uppers, [10]);
});

Deno.test("caseMarkdown() shows bounds, work and peers, and says why a question was not answered", () => {
  const stopped: Answer = { box: 0, method: "recurjac", status: "stopped", detail: "not done after 1 s" };
  const text = caseMarkdown(caseRecord(CASE, [0, 1], [answer({ uppers: [8.5, 8.9] }), stopped]));
  assert.match(text, /maximum over 2 of 3 outputs \(0, 1\)/);
  assert.match(text, /\| linear \| 8\.90000 \| 8\.00000 \| 0\.500 \| 1\.00 \| 20 % \|/);
  assert.match(text, /\| recurjac \| STOPPED \|.*out of memory.*not done after 1 s/);
  assert.match(text, /\*\*MISTAKE\*\* linear: output 1/);
});
