/** Radii against known ones, against exact values at many points, and against plain questions. */
import assert from "node:assert/strict";
import { Certificate as Schema } from "../../../functions/schemas/certificate.ts";
import { idOf } from "../../../shared/certificate/certificate.ts";
import { answerBy } from "../../../shared/certify.ts";
import { inconsistency } from "../../../shared/consistency.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import {
  certify,
  costOf,
  LipcertError,
  type PropertyRequest,
  readModel,
  resolveQuery,
  verify,
} from "../../../shared/mod.ts";
import type { ClaimRequest, RegionRequest } from "../../../shared/query.ts";
import module from "../../../wasm/dist/kernels.js";
import { add, compare, exact, subtract } from "../../exact/dyadic.ts";
import { outputAt } from "../../exact/network.ts";
import { component } from "../../exact/vector.ts";
import { modelOf } from "../../soundness/certificates.ts";
import { type Asked, askRadius, BEND, FAR, MARGIN, TURN } from "./networks.ts";

const kernels = wasmKernels(module);
const load = async (name: string) =>
  await readModel(await Deno.readFile(new URL(`../../models/reference/${name}.onnx`, import.meta.url)));
const mnist = await load("mnist_mlp_20");
const mlp16 = await load("synthetic_mlp16");
const IMAGE = { center: Array.from({ length: 784 }, (_, i) => (i * 37 % 100) / 100), clip: [0, 1] } as const;
const SIXTEEN = { center: Array.from({ length: 16 }, (_, i) => 0.2 + 0.04 * i), clip: [0, 1] } as const;

/** Claims about the 16 inputs that hold near the center and fail further out. */
const CLAIMS: readonly ClaimRequest[] = [
  { type: "robustness" },
  { type: "lipschitz", at_most: 15.5 },
  { type: "lipschitz", at_most: 17 },
  { type: "lipschitz", rows: [[1, -1, 0, 0, 0, 0, 0, 0, 0, 0]], at_most: 7.5 },
  { type: "monotonicity", output: 1, features: [3] },
  { type: "monotonicity", output: 1, features: [3], direction: "increasing" },
];

Deno.test("radius is found within the gap where it is known: of a label, a constant, a direction", async () => {
  const cases = [
    [MARGIN, { type: "robustness", label: 0 }],
    [BEND, { type: "lipschitz", at_most: 2 }],
    [TURN, { type: "monotonicity", output: 0, direction: "increasing" }],
    [TURN, { type: "monotonicity", output: 0 }],
  ] as const;
  for (const [graph, of] of cases) {
    for (const [center, radius] of [[0.125, 0.875], [-0.25, of.type === "robustness" ? 0.75 : 1.25]]) {
      const asked = { type: "radius", of, max: 4, gap: 1e-4 } as const;
      const { finding, verdict } = await askRadius(modelOf(graph, of.type), { center: [center] }, asked, kernels);
      const { certified, refuted, gap, stopped_by } = finding;
      const told = `${of.type} around ${center}: ${certified} to ${refuted}, really ${radius}`;
      assert.ok(certified! <= radius && radius <= refuted!, told);
      assert.ok(gap! <= 1e-4 && stopped_by === "gap" && verdict === "refuted", told);
    }
  }
});

Deno.test("radius is cut by max and by the clip, and 0 where the claim fails at the center", async () => {
  const model = modelOf(MARGIN, "margin"), of = { type: "robustness" } as const;
  const near = await askRadius(model, { center: [0] }, { type: "radius", of, max: 0.5 }, kernels);
  assert.deepEqual([near.verdict, near.finding.certified, near.finding.refuted, near.finding.steps], [
    "certified",
    0.5,
    null,
    1,
  ]);
  const cut = await askRadius(
    model,
    { center: [0.5], clip: [-0.25, 0.875] },
    { type: "radius", of, max: 100 },
    kernels,
  );
  assert.deepEqual([cut.verdict, cut.finding.certified], ["certified", 100]);
  const steep = { type: "radius", of: { type: "lipschitz", at_most: 0.5 }, max: 2 } as const;
  const none = await askRadius(modelOf(BEND, "bend"), { center: [0] }, steep, kernels);
  const { certified, refuted, gap, stopped_by } = none.finding;
  assert.deepEqual([none.verdict, certified, refuted, gap, stopped_by], ["refuted", null, 0, 0, "gap"]);
});

Deno.test("radius: a point that rounding put beyond the radius tried counts from where it is", async () => {
  const model = modelOf(FAR, "far"), of = { type: "robustness" } as const;
  const asked = await askRadius(model, { center: [2 ** 27, 0] }, { type: "radius", of, max: 1e-9 }, kernels);
  const { certified, refuted } = asked.finding;
  assert.ok(certified! > 5.3e-10 && certified! < 5.4e-10 && refuted === 2 ** -25, `${certified} to ${refuted}`);
  assert.ok((await verify(asked, model, { kernels })).valid);
});

/** The exact largest |x_i - c_i|. */
function exactDistance(point: readonly number[], center: readonly number[]) {
  return point.map((x, i) => subtract(exact(x), exact(center[i])))
    .map((d) => compare(d, exact(0)) < 0 ? subtract(exact(0), d) : d)
    .reduce((most, d) => compare(d, most) > 0 ? d : most);
}

Deno.test("radius of mnist_mlp_20: the counterexample's exact values and exact distance are as claimed", async () => {
  const { finding, query } = await askRadius(
    mnist,
    IMAGE,
    { type: "radius", of: { type: "robustness" }, max: 0.5 },
    kernels,
  );
  const { certified, refuted, witness } = finding;
  assert.ok(certified! > 0 && refuted! > certified! && refuted! < 0.5, `${certified} to ${refuted}`);
  assert.ok(query.property.type === "radius" && query.property.of.type === "robustness");
  const { label } = query.property.of, [point] = witness!.points;
  const values = outputAt(mnist.graph(query.output), point);
  const beaten = values.numerators.some((_, k) => compare(component(values, k), component(values, label)) > 0);
  assert.ok(beaten, "no other output is larger at the counterexample");
  const distance = exactDistance(point, IMAGE.center);
  assert.ok(compare(distance, exact(refuted!)) <= 0, "the counterexample lies beyond the refuted radius");
  assert.ok(
    compare(add(distance, exact(2 ** -52 * refuted!)), exact(refuted!)) >= 0,
    "the refuted radius is not the distance",
  );
});

/** The plain question at one radius. */
async function plain(region: RegionRequest & { center: readonly number[] }, radius: number, property: PropertyRequest) {
  return await certify(mlp16, await resolveQuery({ region: { ...region, radius }, property }, mlp16, kernels), {
    kernels,
  });
}

Deno.test("radius: a plain question is certified at the certified radius, never beyond the refuted one", async () => {
  for (const of of CLAIMS) {
    const { finding: { certified, refuted, steps } } = await askRadius(
      mlp16,
      SIXTEEN,
      { type: "radius", of, max: 0.8 },
      kernels,
    );
    const told = `${of.type}: ${certified} to ${refuted}`;
    assert.ok(steps > 1 && certified !== null && certified < 0.8, told);
    assert.equal((await plain(SIXTEEN, certified, of)).verdict, "certified", told);
    assert.notEqual((await plain(SIXTEEN, certified * 1.01 + 1e-9, of)).verdict, "certified", told);
    if (refuted === null) continue;
    for (const factor of [1, 1.3, 2]) {
      assert.notEqual((await plain(SIXTEEN, refuted * factor, of)).verdict, "certified", told);
    }
  }
});

Deno.test("radius: what one max proves and refutes, no other contradicts", async () => {
  for (const of of CLAIMS) {
    const found: Asked["finding"][] = [];
    for (const max of [0.01, 0.1, 0.37, 1]) {
      found.push((await askRadius(mlp16, SIXTEEN, { type: "radius", of, max, gap: 0.01 }, kernels)).finding);
    }
    const most = Math.max(...found.map(({ certified }) => certified ?? -1));
    const least = Math.min(...found.map(({ refuted }) => refuted ?? Infinity));
    assert.ok(most < least, `${of.type}: ${most} proved, ${least} refuted`);
    // The edge of what can be proved is one: each max finds it, or holds as a whole.
    const edge = most * (1 - 0.011);
    found.forEach(({ certified }, m) =>
      assert.ok(certified === [0.01, 0.1, 0.37, 1][m] || certified! >= edge, `${of.type} ${certified}`)
    );
  }
});

Deno.test("radius: no exact value inside the certified radius breaks the claim (corners and inner points)", async () => {
  const { finding, query } = await askRadius(
    mlp16,
    SIXTEEN,
    { type: "radius", of: { type: "robustness" }, max: 0.8 },
    kernels,
  );
  assert.ok(query.property.type === "radius" && query.property.of.type === "robustness");
  const { center, of: { label } } = query.property, graph = mlp16.graph(query.output);
  for (let p = 0; p < 64; p++) {
    const share = [1, 1, 0.7][p % 3];
    const point = center.map((c, i) =>
      Math.min(1, Math.max(0, c + share * finding.certified! * ((p * 31 + i * 17) % 7 < 3 ? -1 : 1)))
    );
    const values = outputAt(graph, point);
    const holds = values.numerators.every((_, k) =>
      k === label || compare(component(values, k), component(values, label)) < 0
    );
    assert.ok(holds, `sample ${p}`);
  }
});

Deno.test("a certificate of a radius fits its schema, is verified, costs what was announced, and is the same again", async () => {
  for (const of of CLAIMS) {
    kernels.resetPeak();
    const certificate = await askRadius(mlp16, SIXTEEN, { type: "radius", of, max: 0.8 }, kernels);
    Schema.parse(certificate);
    for (const model of [mlp16, null]) {
      const { valid, checks } = await verify(certificate, model, { kernels });
      assert.ok(valid, JSON.stringify(checks.filter(({ ok }) => !ok)));
      if (model && certificate.finding.witness) assert.ok(checks.some(({ name }) => name === "witness"), of.type);
    }
    const { flops, bytes } = costOf(mlp16.graph(certificate.query.output), certificate.query);
    assert.ok(certificate.work.gflop * 1e9 <= flops && kernels.memory().peakBytes <= bytes, of.type);
    assert.equal((await certify(mlp16, certificate.query, { kernels })).id, certificate.id);
    assert.deepEqual(await resolveQuery(certificate.query, mlp16, kernels), certificate.query);
  }
});

Deno.test("verify() names the check that a forged radius fails", async () => {
  const certificate = await askRadius(mlp16, SIXTEEN, { type: "radius", of: CLAIMS[0], max: 0.8 }, kernels);
  const { finding } = certificate, { certified, refuted, witness } = finding;
  assert.ok(certified !== null && refuted !== null && witness !== null);
  const [point] = witness.points;
  const nearer = SIXTEEN.center.map((c, i) => c + (point[i] - c) / 4096);
  const forgeries: [what: string, finding: object, check: string][] = [
    ["a nearer radius", { refuted: refuted * 0.999 }, "finding"],
    ["radii that cross", { certified: refuted }, "finding"],
    ["a radius beyond the largest", { certified: 0.9 }, "finding"],
    ["another gap", { gap: 0 }, "finding"],
    ["no witness", { witness: null }, "finding"],
    ["too many steps", { steps: 1000 }, "finding"],
    ["another claim", { of: "lipschitz" }, "finding"],
    ["a harmless witness", {
      witness: { points: [nearer] },
      refuted: Math.max(...nearer.map((x, i) => Math.abs(x - SIXTEEN.center[i]))),
      certified: null,
      gap: null,
      stopped_by: "steps",
    }, "witness"],
  ];
  for (const [what, edits, check] of forgeries) {
    const forged = { ...certificate, finding: { ...finding, ...edits } };
    const { valid, checks } = await verify({ ...forged, id: await idOf(forged) } as Asked, mlp16, { kernels });
    assert.ok(!valid, what);
    const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.deepEqual(failed, [check], what);
  }
});

Deno.test("options.search of a radius is handed to each question, whatever its claim", async () => {
  const of = { type: "lipschitz", at_most: 17 } as const,
    property = { type: "radius", of, max: 0.8, gap: 0.02 } as const;
  const root = await askRadius(mlp16, SIXTEEN, property, kernels);
  const searched = await askRadius(mlp16, SIXTEEN, property, kernels, { search: { max_nodes: 40 } });
  assert.ok(searched.finding.certified! > root.finding.certified!);
  assert.ok(searched.method.search.nodes > 0 && root.method.search.stopped_by === "none");
  assert.ok((await verify(searched, mlp16, { kernels })).valid);
  const robust = { ...property, of: { type: "robustness" } } as const;
  const [without, withSearch] = [
    await askRadius(mlp16, SIXTEEN, robust, kernels),
    await askRadius(mlp16, SIXTEEN, robust, kernels, { search: {} }),
  ];
  assert.ok(withSearch.finding.certified! >= without.finding.certified!);
});

Deno.test("radius: each search ends once the claim is decided", async () => {
  const [bound, searchOptions] = [17, { max_nodes: 400 }];
  const of = { type: "lipschitz", at_most: bound } as const;
  const property = { type: "radius", of, max: 0.8, gap: 0.3 } as const;
  const { finding } = await askRadius(mlp16, SIXTEEN, property, kernels, { search: searchOptions });
  const ask = async (asked: PropertyRequest, radius: number) => {
    const request = { region: { ...SIXTEEN, radius }, property: asked, options: { search: searchOptions } };
    return (await certify(mlp16, await resolveQuery(request, mlp16, kernels), { kernels })).method.search;
  };
  const claimed = await ask(of, finding.certified!), whole = await ask({ type: "lipschitz" }, finding.certified!);
  assert.ok(claimed.stopped_by === "closed" && claimed.open === 0 && claimed.nodes < whole.nodes);
});

Deno.test("radius: a host's time and its cancellation hold for all steps together, and the certificate tells", async () => {
  const of = { type: "lipschitz", at_most: 17 } as const;
  const property = { type: "radius", of, max: 0.8, gap: 1e-4 } as const, search = { max_nodes: 400 };
  const asked = (options: object) => resolveQuery({ region: SIXTEEN, property, options }, mlp16, kernels);
  const plain = await asked({ search }), full = await certify(mlp16, plain, { kernels });
  assert.ok(full.finding.type === "radius" && full.reproducible);
  for (const pauses of [1, 2, 20]) {
    let now = 0;
    const clock = { now: () => now, pause: () => (now++, Promise.resolve()) };
    const timed = await certify(mlp16, await asked({ search: { ...search, time_ms: pauses } }), { kernels, clock });
    // One look at the clock for each pause: nothing goes on after the deadline.
    assert.equal(now, pauses, "the steps did not stop at the deadline");
    const finish = new AbortController(), nodes: number[] = [];
    const canceled = await certify(mlp16, plain, {
      kernels,
      clock: { now: () => 0, pause: () => (--now <= 0 && finish.abort(), Promise.resolve()) },
      finish: finish.signal,
      onSearch: (progress) => nodes.push(progress.nodes),
    });
    assert.ok(nodes.every((count, k) => k === 0 || count >= nodes[k - 1]), `progress counts ${nodes}`);
    for (const [by, certificate] of Object.entries({ time: timed, canceled })) {
      const { finding, method, reproducible } = certificate;
      assert.ok(finding.type === "radius");
      assert.deepEqual([finding.stopped_by, method.search.stopped_by, reproducible], [by, by, false]);
      assert.ok(finding.steps >= 1 && finding.steps < full.finding.steps, `${finding.steps} steps`);
      assert.ok((finding.certified ?? 0) <= full.finding.certified!, "more was proved in less time");
      assert.deepEqual(Schema.parse(certificate), certificate);
      assert.ok((await verify(certificate, mlp16, { kernels })).valid);
      const forged = { ...certificate, finding: { ...finding, stopped_by: "steps" as const } };
      assert.match(inconsistency(forged)!, /ended by different things/);
    }
  }
  const clock = { now: () => 0, pause: () => Promise.resolve() };
  const unhurried = await certify(mlp16, await asked({ search: { ...search, time_ms: 1 } }), { kernels, clock });
  assert.deepEqual([unhurried.finding, unhurried.reproducible], [full.finding, true]);
});

Deno.test("radius: memory ends one search, not the steps", async () => {
  const property = { type: "radius", of: { type: "lipschitz", at_most: 17 }, max: 0.8, gap: 0.02 } as const;
  const request = { region: SIXTEEN, property, options: { search: { max_nodes: 400 } } };
  const query = await resolveQuery(request, mlp16, kernels);
  const { finding, method, reproducible } = await certify(mlp16, query, { kernels, openBytes: 1 });
  assert.ok(finding.type === "radius" && finding.steps > 2 && finding.stopped_by !== "time");
  assert.deepEqual([method.search.stopped_by, reproducible], ["memory", false]);
});

Deno.test("a resolved question about a radius is none where its region is not inside the largest box", async () => {
  const query = await resolveQuery(
    { region: SIXTEEN, property: { type: "radius", of: CLAIMS[0], max: 0.1 } },
    mlp16,
    kernels,
  );
  const wider = { ...query, region: { ...query.region, upper: query.region.upper.map((u) => u + 0.1) } };
  assert.notDeepEqual(await resolveQuery(wider, mlp16, kernels), wider);
  const beside = { ...query, region: { ...query.region, lower: query.region.upper } };
  await assert.rejects(resolveQuery(beside, mlp16, kernels), /center lies outside/);
});

Deno.test("a radius in f32 is redone in f64 unless the claim holds up to the largest", async () => {
  for (const [max, precision] of [[0.8, "f64"], [0.001, "f32"]] as const) {
    const property = { type: "radius", of: CLAIMS[0], max } as const;
    const query = await resolveQuery({ region: SIXTEEN, property, options: { arithmetic: "f32" } }, mlp16, kernels);
    const single = await certify(mlp16, query, { kernels });
    assert.ok((await verify(single, mlp16, { kernels })).valid && single.arithmetic.kind === "f32-outward");
    const answer = await answerBy(["f32", "f64"], mlp16, query, { kernels });
    assert.equal(answer.precision, precision);
  }
});

Deno.test("radius: what does not fit together is refused by its place", async () => {
  const good = { type: "radius", of: { type: "robustness" }, max: 0.5 } as const, { center } = SIXTEEN;
  const cases: [region: RegionRequest, property: object, pointer: string][] = [
    [{ lower: center, upper: center }, good, "/region/center"],
    [{ center, radius: 0.1 }, good, "/region/radius"],
    [{ center, clip: [0.3, 1] }, good, "/region/center/0"],
    [{ center }, { type: "robustness" }, "/region/radius"],
    [{ center }, { ...good, max: 0 }, "/property/max"],
    [{ center }, { ...good, max: NaN }, "/property/max"],
    [{ center }, { ...good, gap: 0 }, "/property/gap"],
    [{ center }, { ...good, gap: 1 }, "/property/gap"],
    [{ center }, { ...good, of: { type: "output_bounds" } }, "/property/of/type"],
    [{ center }, { ...good, of: { type: "lipschitz" } }, "/property/of/at_most"],
    [{ center }, { ...good, of: { type: "robustness", label: 10 } }, "/property/of/label"],
    [{ center }, { ...good, of: { type: "monotonicity", output: 0, features: [1, 16] } }, "/property/of/features/1"],
  ];
  for (const [region, property, pointer] of cases) {
    await assert.rejects(resolveQuery({ region, property: property as PropertyRequest }, mlp16, kernels), (error) => {
      assert.ok(error instanceof LipcertError && error.type === "invalid-query", String(error));
      assert.equal(error.members.errors?.[0].pointer, pointer);
      return true;
    });
  }
});
