/** Coefficients in f32, from the question to the certificate: shared/README.md (21) and the policy of `auto`. */
import assert from "node:assert/strict";
import { isGraphInRange, precisionsFor, willDo } from "../../shared/arithmetic.ts";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import { withRun } from "../../shared/bounds/run.ts";
import type { Outcome } from "../../shared/certificate/finding.ts";
import { answerBy, certify } from "../../shared/certify.ts";
import { costOf } from "../../shared/cost.ts";
import type { Graph, Node } from "../../shared/graph.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import type { Arithmetic, Property, Query } from "../../shared/query.ts";
import { verify } from "../../shared/verify.ts";
import module from "../../wasm/dist/kernels.js";
import { Random } from "../exact/random.ts";
import { modelOf } from "../soundness/certificates.ts";

const SEED = 2121;

/** A dense network with bell-shaped weights, times `scale`. */
function network(widths: readonly number[], scale = 1): Graph {
  const random = new Random(SEED, widths.length);
  const nodes: Node[] = [{ operator: "input", inputs: [], size: widths[0], name: "x" }];
  widths.slice(1).forEach((size, layer) => {
    if (layer > 0) nodes.push({ operator: "relu", inputs: [nodes.length - 1], size: widths[layer], name: `h${layer}` });
    const columns = widths[layer];
    const weights = Float64Array.from({ length: size * columns }, () => scale * random.normal() / Math.sqrt(columns));
    const bias = Float64Array.from({ length: size }, () => 0.1 * random.normal());
    nodes.push({ operator: "affine", inputs: [nodes.length - 1], size, name: `z${layer}`, weights, bias });
  });
  return { nodes };
}

const GRAPH = network([20, 60, 50, 5]), MODEL = modelOf(GRAPH, "single");

function query(property: Property, arithmetic: Arithmetic, radius = 0.1): Query {
  return {
    model_digest: MODEL.digest,
    output: "y",
    region: { lower: Array(20).fill(0.4 - radius), upper: Array(20).fill(0.4 + radius) },
    property,
    options: { relaxation: "linear", preactivation: "crown", arithmetic },
  };
}

const QUESTIONS: readonly Property[] = [
  { type: "lipschitz", outputs: [0, 1, 2, 3, 4] },
  { type: "jacobian_bounds", outputs: [1, 3] },
  { type: "output_bounds", rows: [[1, -0.3, 0, 0.1, 0], [0, 1, 1, 1, 1]] },
  { type: "robustness", label: 2 },
  { type: "monotonicity", output: 1, features: [0, 3, 7] },
];

Deno.test("a certificate in f32 is the same on the reference and in WebAssembly, says so, and verifies", async () => {
  for (const property of QUESTIONS) {
    const asked = query(property, "f32");
    const certificate = await certify(MODEL, asked, { kernels: wasmKernels(module) });
    assert.equal(certificate.arithmetic.kind, "f32-outward");
    assert.equal(certificate.query.options.arithmetic, "f32");
    assert.equal((await certify(MODEL, asked, { kernels: referenceKernels() })).id, certificate.id);
    const report = await verify(certificate, MODEL, { kernels: referenceKernels() });
    assert.ok(report.valid, JSON.stringify(report.checks));
    const wide = await certify(MODEL, query(property, "f64"), { kernels: referenceKernels() });
    assert.equal(wide.arithmetic.kind, "f64-outward");
    assert.equal(wide.work.rows > 0, true);
    assert.notEqual(JSON.stringify(wide.finding), JSON.stringify(certificate.finding), "f32 was computed at all");
  }
});

Deno.test("verify() tells a certificate that was asked in f64 and claims to be f32", async () => {
  const certificate = await certify(MODEL, query(QUESTIONS[0], "f64"), { kernels: referenceKernels() });
  const lied = { ...certificate, arithmetic: { ...certificate.arithmetic, kind: "f32-outward" as const } };
  const { checks } = await verify(lied, null, { kernels: referenceKernels() });
  assert.equal(checks.find(({ name }) => name === "finding")!.ok, false);
});

Deno.test("bounds in f32 are those of f64 up to 1e-3, and looser in most places", async () => {
  const kernels = referenceKernels();
  const boxes = async (precision: "f64" | "f32") =>
    await withRun([GRAPH], { kernels, precision }, (run) =>
      run.kernels.scope(async () => {
        const box = { lower: new Float64Array(20).fill(0.3), upper: new Float64Array(20).fill(0.5) };
        const { states } = await boundGraph(GRAPH, [{ box }], { refine: "linear", rule: "chord" }, run);
        return states[3].boxes[0];
      }));
  const wide = await boxes("f64"), narrow = await boxes("f32");
  let looser = 0;
  wide.lower.forEach((l, i) => {
    const width = wide.upper[i] - l;
    assert.ok(
      Math.abs(narrow.lower[i] - l) <= 1e-3 * width && Math.abs(narrow.upper[i] - wide.upper[i]) <= 1e-3 * width,
    );
    if (narrow.lower[i] <= l) looser++;
  });
  assert.ok(looser > wide.lower.length / 2);
});

Deno.test("constants that f32 does not hold with full precision are answered in f64, and the certificate says so", async () => {
  assert.ok(isGraphInRange(GRAPH));
  for (const scale of [2 ** -120, 2 ** 120]) {
    const graph = network([4, 6, 2], scale), model = modelOf(graph, "far");
    assert.ok(!isGraphInRange(graph));
    const asked = { ...query({ type: "lipschitz", outputs: [0] }, "f32"), model_digest: model.digest };
    const region = { lower: Array(4).fill(0), upper: Array(4).fill(1) };
    const certificate = await certify(model, { ...asked, region }, { kernels: referenceKernels() });
    assert.equal(certificate.arithmetic.kind, "f64-outward");
  }
  const rows = { type: "output_bounds", rows: [[1e-40, 1, 0, 0, 0]] } as const;
  assert.deepEqual(precisionsFor(GRAPH, query(rows, "f32"), 1), ["f64"]);
});

Deno.test("precisionsFor() takes the option, and for auto the work", () => {
  const of = (arithmetic: Arithmetic, flops: number) =>
    precisionsFor(GRAPH, query(QUESTIONS[0], arithmetic), flops, 1e6);
  assert.deepEqual(of("f64", 1e9), ["f64"]);
  assert.deepEqual(of("f32", 1), ["f32"]);
  assert.deepEqual(of("auto", 1e6 - 1), ["f64"]);
  assert.deepEqual(of("auto", 1e6), ["f32", "f64"]);
});

Deno.test("costOf() counts a redo for auto where there may be one", () => {
  const [auto, single, wide] = (["auto", "f32", "f64"] as const).map((one) => costOf(GRAPH, query(QUESTIONS[0], one)));
  const tries = precisionsFor(GRAPH, query(QUESTIONS[0], "auto"), wide.flops).length;
  assert.deepEqual(single, wide);
  assert.equal(auto.flops, tries * wide.flops);
  assert.equal(auto.bytes, wide.bytes);
});

Deno.test("answerBy() redoes what will not do, keeps what will, and counts the work of both", async () => {
  const kernels = wasmKernels(module);
  const work = async (precisions: readonly ("f32" | "f64")[], asked: Query) => {
    const progress: number[] = [];
    const onProgress = ({ flops }: { flops: number }) => progress.push(flops);
    const answer = await answerBy(precisions, MODEL, asked, { kernels, onProgress });
    assert.ok(progress.every((flops, i) => i === 0 || flops >= progress[i - 1]), "progress never falls back");
    return answer;
  };
  const wide = query(QUESTIONS[0], "auto", 0.3);
  const kept = await work(["f32", "f64"], wide), single = await work(["f32"], wide);
  assert.equal(kept.precision, "f32");
  assert.deepEqual(kept, single);
  // At a point the bounds are exact in f64, and what rounding adds decides whether the claim is proved.
  const { finding } = await work(["f64"], query(QUESTIONS[0], "f64", 0.01)).then(({ outcome }) => outcome);
  const claim = { ...QUESTIONS[0], at_most: (finding as { upper: number }).upper * (1 + 1e-9) } as Property;
  const asked = query(claim, "auto", 0.01);
  const redone = await work(["f32", "f64"], asked);
  const [alone, again] = [await work(["f32"], asked), await work(["f64"], asked)];
  assert.equal(alone.outcome.verdict, "unknown");
  assert.equal(redone.outcome.verdict, "certified");
  assert.equal(redone.precision, "f64");
  assert.deepEqual(redone.outcome, again.outcome);
  assert.deepEqual(redone.work, {
    flops: alone.work.flops + again.work.flops,
    rows: alone.work.rows + again.work.rows,
  });
});

Deno.test("willDo() wants numbers, a small radius, and no claim or sign missed by it", () => {
  const upper = (upper: number | null, verdict: Outcome["verdict"]): Outcome => ({
    verdict,
    reason: null,
    finding: {
      type: "lipschitz",
      norm: "linf->linf",
      upper,
      lower: 1,
      gap: 0,
      exact: false,
      outputs: [{ output: 0, upper, lower: 1 }],
      witness: { output: 0, point: [] },
    },
  });
  const claim = { type: "lipschitz", outputs: [0], at_most: 10 } as const;
  assert.ok(willDo(claim, upper(9, "certified"), 8e-4));
  assert.ok(!willDo(claim, upper(9, "certified"), 1e-3), "a radius above 1e-4 of the bound");
  assert.ok(!willDo(claim, upper(9, "certified"), Infinity));
  assert.ok(!willDo(claim, upper(null, "unknown"), 0));
  assert.ok(willDo(claim, upper(10.1, "unknown"), 1e-4));
  assert.ok(!willDo(claim, upper(10.001, "unknown"), 1e-4), "the claim is missed by ten radii");
  assert.ok(willDo(claim, upper(10.001, "refuted"), 1e-4));
  const margins = (lowers: readonly number[], verdict: Outcome["verdict"]): Outcome => ({
    verdict,
    reason: null,
    finding: {
      type: "robustness",
      label: 0,
      margins: lowers.map((lower, k) => ({ output: k + 1, lower })),
      counterexample: null,
    },
  });
  const robust = { type: "robustness", label: 0 } as const;
  assert.ok(willDo(robust, margins([5, -1], "unknown"), 1e-5));
  assert.ok(!willDo(robust, margins([5, -1e-4], "unknown"), 1e-5));
  assert.ok(willDo(robust, margins([5, 1e-4], "certified"), 1e-5));
});
