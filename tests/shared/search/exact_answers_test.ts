/** What only exact arithmetic tells: constants that are 0, slivers, boxes on a kink; and what no point can prove. */
import assert from "node:assert/strict";
import type { Finding } from "../../../shared/certificate/finding.ts";
import { type Certificate, idOf } from "../../../shared/certificate/certificate.ts";
import type { Graph } from "../../../shared/graph.ts";
import { certify, type PropertyRequest, readModel, resolveQuery, verify } from "../../../shared/mod.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { unitRow } from "../../exact/network.ts";
import { regionsOf } from "../../exact/regions.ts";
import { troubledNetwork } from "../../exact/troubled_networks.ts";
import { rangeOf } from "../../exact/truth.ts";
import { judgeOutputs } from "../../soundness/truth_claims.ts";
import { modelOf } from "../../soundness/certificates.ts";
import { chain } from "../condensed/networks.ts";
import { formOfDoubles, numeratorAt } from "../../../shared/linear/exact_form.ts";
import { neighbour } from "../../exact/dyadic.ts";
import { askRadius, shallow } from "../radius/networks.ts";

const kernels = referenceKernels();
const SEARCH = { search: { max_nodes: 16_384, gap: 0 } } as const;

type Ends = readonly [readonly number[], readonly number[]];

async function asked<T extends Finding["type"]>(
  graph: Graph,
  [lower, upper]: Ends,
  property: PropertyRequest & { readonly type: T },
): Promise<{ certificate: Certificate; finding: Extract<Finding, { type: T }> }> {
  const model = modelOf(graph, "network");
  const query = await resolveQuery(
    { region: { lower: [...lower], upper: [...upper] }, property, options: SEARCH },
    model,
    kernels,
  );
  const certificate = await certify(model, query, { kernels });
  const { valid, checks } = await verify(certificate, model, { kernels });
  assert.ok(valid, JSON.stringify(checks.filter(({ ok }) => !ok)));
  return { certificate, finding: certificate.finding as Extract<Finding, { type: T }> };
}

async function constantOf(graph: Graph, ends: Ends) {
  const { upper, lower, gap, exact } = (await asked(graph, ends, { type: "lipschitz" })).finding;
  return { upper, lower, gap, exact };
}

const ZERO = { upper: 0, lower: 0, gap: 0, exact: true };

Deno.test("a constant that is 0 is answered with 0: copies that cancel, neurons that are off, weights that are 0", async () => {
  // 0.1 x + 0.2 has no exact sum; its copies cancel all the same.
  assert.deepEqual(await constantOf(shallow([0.1, 0.1], [0.2, 0.2], [[3, -3]], [1]), [[-7], [5]]), ZERO);
  // relu(h) - relu(2 h) / 2, next to a neuron that is always on and one that is never.
  const cancels = shallow([0.3, 0.6, 1, 1], [0.1, 0.2, 9, -9], [[4, -2, 0, 5]], [1]);
  assert.deepEqual(await constantOf(cancels, [[-3], [2]]), ZERO);
  assert.deepEqual(await constantOf(shallow([0.1, -0.7], [0.2, 0.3], [[0, 0]], [1]), [[-7], [5]]), ZERO);
});

Deno.test("pieces on which nothing is left end at 0 before all of their neurons are decided", async () => {
  // What the last relu reads is below 0 but for rounding, whatever the eight below are; that is split first or not at all.
  const n = 4, first = Float64Array.from({ length: 8 * n }, (_, k) => Math.sin(3 * k + 1));
  const graph = chain(
    n,
    [{ operator: "affine", weights: first, bias: new Float64Array(8) }, 8],
    [{ operator: "relu" }, 8],
    [{ operator: "affine", weights: new Float64Array(8).fill(-1), bias: null }, 1],
    [{ operator: "relu" }, 1],
    [{ operator: "affine", weights: Float64Array.of(1), bias: null }, 1],
  );
  const { certificate, finding } = await asked(graph, [[-1, -1, -1, -1], [1, 1, 1, 1]], { type: "lipschitz" });
  assert.deepEqual([finding.upper, finding.exact], [0, true]);
  assert.ok(certificate.method.search.nodes <= 40, `${certificate.method.search.nodes} nodes`);
});

Deno.test("a network without open neurons that cancels in the reals is answered with 0", async () => {
  assert.deepEqual(await constantOf(shallow([0.1, 0.3], [9, 9], [[3, -1]], [1]), [[-1], [1]]), {
    // 0.1 * 3 is not 0.3 in doubles.
    upper: 2 ** -55,
    lower: 2 ** -55,
    gap: 0,
    exact: true,
  });
  assert.deepEqual(await constantOf(shallow([0.1, 0.2], [9, 9], [[2, -1]], [1]), [[-1], [1]]), ZERO);
});

Deno.test("derivatives that are 0 are constant, and signs of slivers are proved", async () => {
  const copies = shallow([0.1, 0.1], [0.2, 0.2], [[3, -3]], [1]);
  const { finding } = await asked(copies, [[-7], [5]], { type: "monotonicity", output: 0 });
  assert.deepEqual(finding.features.map(({ direction }) => direction), ["constant"]);
  // x - 5 (relu(x) - relu(x - 2^-52)): falls between these two kinks alone.
  const dip = shallow([1, 1, 1], [8, 0, -(2 ** -52)], [[1, -5, 5]], [-8]);
  const { finding: { features: [feature] } } = await asked(dip, [[-1], [1]], { type: "monotonicity", output: 0 });
  assert.equal(feature.direction, "neither");
});

/** 1 between two lines c . x = 3 and 3 + width, else 0; times a slope. */
function ramp(c: readonly number[], width: number): Graph {
  return chain(
    c.length,
    [{ operator: "affine", weights: Float64Array.of(...c, ...c), bias: Float64Array.of(-3, -3 - width) }, 2],
    [{ operator: "relu" }, 2],
    [{ operator: "affine", weights: Float64Array.of(2, -2), bias: null }, 1],
  );
}

Deno.test("a sliver's constant is attained at doubles in it, which others than the nearest may be", async () => {
  const width = 2 ** -51;
  for (const c of [[0.75, 1.25], [7, 5], [3, -7]]) {
    const real = 2 * (Math.abs(c[0]) + Math.abs(c[1]));
    const { lower, exact } = await constantOf(ramp(c, width), [[-4, -4], [4, 4]]);
    assert.deepEqual([lower, exact], [real, true]);
  }
});

Deno.test("a sliver between two neighbouring doubles has no witness: its constant stays an upper bound", async () => {
  const found = await constantOf(ramp([0.57], 2 ** -51), [[0], [16]]);
  const least = formOfDoubles([0.57], -3), most = formOfDoubles([-0.57], 3 + 2 ** -51), from = 3 / 0.57;
  for (let x = from - 2 ** -48; x <= from + 2 ** -48; x = neighbour(x, 1)) {
    assert.ok(numeratorAt(least, [x]) < 0n || numeratorAt(most, [x]) < 0n);
  }
  assert.deepEqual([found.lower, found.exact], [0, false]);
  assert.ok(found.upper! >= 2 * 0.57 && found.upper! < 1.141);
});

Deno.test("a box on a kink has the Clarke Jacobian of the space around, and nothing more", async () => {
  // relu(x_0) - 3 relu(-x_0) + x_1: slopes 1 and 3 by x_0.
  const hinge = chain(
    2,
    [{ operator: "affine", weights: Float64Array.of(1, 0, -1, 0, 0, 1), bias: Float64Array.of(0, 0, 9) }, 3],
    [{ operator: "relu" }, 3],
    [{ operator: "affine", weights: Float64Array.of(1, -3, 1), bias: null }, 1],
  );
  const ends = [[0, -1], [0, 1]] as const;
  const { lower: least, exact } = await constantOf(hinge, ends);
  assert.deepEqual([least, exact], [4, true]);
  const { finding: { outputs: [{ lower, upper }] } } = await asked(hinge, ends, { type: "jacobian_bounds" });
  for (const [j, [from, to]] of [[1, 3], [1, 1]].entries()) {
    assert.ok(lower[j]! <= from && lower[j]! > from - 1e-12 && upper[j]! >= to && upper[j]! < to + 1e-12);
  }
  // relu(x_0) - relu(2 x_0): no region has one of them alone, so 2 is not among the slopes 0 and -1.
  const tied = chain(
    2,
    [{ operator: "affine", weights: Float64Array.of(1, 0, 2, 0), bias: null }, 2],
    [{ operator: "relu" }, 2],
    [{ operator: "affine", weights: Float64Array.of(1, -1), bias: null }, 1],
  );
  const { lower: one, exact: isExact } = await constantOf(tied, ends);
  assert.deepEqual([one, isExact], [1, true]);
});

Deno.test("values over slivers are bounded by what they are there (seed 20261124)", async () => {
  // Whose leaves plain linear programs take for empty.
  for (const index of [123, 344]) {
    const { graph, lower, upper, name } = troubledNetwork(20_261_124, index), size = graph.nodes.at(-1)!.size;
    const { finding } = await asked(graph, [Array.from(lower), Array.from(upper)], { type: "output_bounds" });
    const regions = regionsOf(graph, { lower, upper });
    const ranges = Array.from({ length: size }, (_, k) => rangeOf(regions, { lower, upper }, unitRow(size, k)));
    assert.deepEqual(judgeOutputs(finding, { truths: [], ranges }), { found: [], closed: true }, name);
  }
});

Deno.test("points that a search hands out are of the model's input type, and prove the bound there", async () => {
  const model = await readModel(
    await Deno.readFile(new URL("../../models/reference/synthetic_mlp16.onnx", import.meta.url)),
  );
  const center = Array.from({ length: 16 }, (_, i) => 0.2 + 0.04 * i);
  const region = { center, radius: 0.1 }, property = { type: "lipschitz" } as const;
  const bounds: number[] = [];
  for (const options of [{}, SEARCH]) {
    const query = await resolveQuery({ region, property, options }, model, kernels);
    const certificate = await certify(model, query, { kernels });
    const { lower, witness } = certificate.finding as Extract<Finding, { type: "lipschitz" }>;
    bounds.push(lower);
    assert.deepEqual(witness.point.map(Math.fround), witness.point);
    assert.ok((await verify(certificate, model, { kernels })).valid);
  }
  assert.ok(bounds[1] > bounds[0], "the search's point is another one");
});

Deno.test("verify() refuses more than a witness on a kink proves, and a witness that is moved off", async () => {
  const { certificate, finding } = await asked(ramp([7, 5], 2 ** -51), [[-4, -4], [4, 4]], { type: "lipschitz" });
  const model = modelOf(ramp([7, 5], 2 ** -51), "network");
  for (
    const forged of [
      { ...finding, lower: 24.5, upper: 24.5, gap: 0, outputs: [{ output: 0, lower: 24.5, upper: 24.5 }] },
      { ...finding, witness: { ...finding.witness, point: [0, 0] } },
    ]
  ) {
    const body = { ...certificate, finding: forged as typeof finding };
    const { checks } = await verify({ ...body, id: await idOf(body) }, model, { kernels });
    assert.deepEqual(checks.filter(({ ok }) => !ok).map(({ name }) => name), ["witness"]);
  }
});

Deno.test("a radius is not refuted at a kink that its box only touches", async () => {
  // x + 3 relu(x - 0.5): around 0 the slope is 1 up to 0.5, there included.
  const bend = shallow([1, 1], [8, -0.5], [[1, 3]], [-8]);
  const of = { type: "lipschitz", at_most: 2 } as const;
  for (const options of [{}, SEARCH]) {
    const property = { type: "radius", of, max: 1, gap: 1e-6 } as const;
    const { finding: { certified, refuted } } = await askRadius(
      modelOf(bend, "bend"),
      { center: [0] },
      property,
      kernels,
      options,
    );
    assert.ok(certified! <= 0.5 && 0.5 < refuted! && refuted! < 0.500_001, `${certified} to ${refuted}`);
  }
  // The slope is 4 between 0.5 and 0.5 + 2^-54 alone: 0.5 itself is the one double there.
  const steep = 1 - 2 ** -53, sliver = shallow([1, 1, steep], [8, -0.5, -0.5], [[1, 3, -3]], [-8]);
  const property = { type: "radius", of, max: 1, gap: 1e-6 } as const;
  const { finding } = await askRadius(modelOf(sliver, "sliver"), { center: [0] }, property, kernels, SEARCH);
  assert.ok(finding.certified! <= 0.5 && finding.refuted === null, `${finding.certified} to ${finding.refuted}`);
  const { finding: plain } = await asked(sliver, [[-1], [1]], { type: "lipschitz" });
  assert.deepEqual(plain.witness.point, [0.5]);
});
