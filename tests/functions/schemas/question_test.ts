import assert from "node:assert/strict";
import { checked } from "../../../functions/http/issues.ts";
import { CertifyRequest, LATER_OPTIONS } from "../../../functions/schemas/question.ts";
import { LipcertError, type PointedMessage } from "../../../shared/errors.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const GOOD = {
  model: { digest: DIGEST },
  region: { center: [0, 1], radius: 0.1 },
  property: { type: "lipschitz" },
};

const CENTER = { center: [0, 1] };
const RADIUS = { type: "radius", of: { type: "robustness" }, max: 0.5 };

function refusal(body: unknown): { type: string; errors: readonly PointedMessage[] } {
  try {
    checked(CertifyRequest, body, LATER_OPTIONS);
  } catch (error) {
    assert.ok(error instanceof LipcertError, String(error));
    return { type: error.type, errors: error.members.errors ?? [] };
  }
  assert.fail(`accepted ${JSON.stringify(body)}`);
}

const pointers = (body: unknown) => {
  const { type, errors } = refusal(body);
  assert.equal(type, "invalid-query");
  return errors.map(({ pointer }) => pointer);
};

Deno.test("CertifyRequest takes every form of region, property and model", () => {
  const regions = [
    { center: [0, 1], radius: [0.1, 0] },
    { center: [0, 1], radius: 0, clip: [0, 1] },
    { center: [0, 1], radius: 1, clip: [[0, 1], [-1, 1]] },
    { lower: [0, 0], upper: [1, 1] },
  ];
  const properties = [
    { type: "lipschitz", outputs: [0, 3], at_most: 20 },
    { type: "lipschitz", rows: [[1, -1]] },
    { type: "jacobian_bounds" },
    { type: "output_bounds", rows: [[1, 0], [0, 1]] },
    { type: "robustness" },
    { type: "robustness", label: 1 },
    { type: "monotonicity", output: 0 },
    { type: "monotonicity", output: 0, features: [0], direction: "decreasing" },
  ];
  const radii = [
    { type: "radius", of: { type: "robustness" }, max: 0.5 },
    { type: "radius", of: { type: "lipschitz", rows: [[1, -1]], at_most: 3 }, max: 1, gap: 0.5 },
    { type: "radius", of: { type: "monotonicity", output: 0, direction: "increasing" }, max: 1e-9 },
  ];
  for (const property of radii) {
    checked(CertifyRequest, { ...GOOD, region: { center: [0, 1] }, property });
    checked(CertifyRequest, { ...GOOD, region: { center: [0, 1], clip: [0, 1] }, property });
  }
  checked(CertifyRequest, { ...GOOD, callback_url: "https://example.org/hook" });
  for (const region of regions) checked(CertifyRequest, { ...GOOD, region });
  for (const property of properties) checked(CertifyRequest, { ...GOOD, property });
  checked(CertifyRequest, { ...GOOD, model: { onnx: "AAAA", output: "y" }, options: {} });
  for (const search of [{}, { max_nodes: 0 }, { max_nodes: 1_000_000, gap: 0.5 }, { gap: 0 }]) {
    checked(CertifyRequest, { ...GOOD, options: { search } });
  }
  for (const arithmetic of ["auto", "f32", "f64"]) {
    checked(CertifyRequest, { ...GOOD, options: { relaxation: "recurjac", preactivation: "interval", arithmetic } });
  }
});

Deno.test("CertifyRequest points at the place that is wrong", () => {
  const cases: [body: unknown, pointer: string][] = [
    [null, ""],
    [[], ""],
    [{ ...GOOD, extra: 1 }, "/extra"],
    [{ ...GOOD, "a/b~c": 1 }, "/a~1b~0c"],
    [JSON.parse(`{"__proto__": {}, ${JSON.stringify(GOOD).slice(1)}`), "/__proto__"],
    [{ ...GOOD, model: { digest: "sha256:zz" } }, "/model/digest"],
    [{ ...GOOD, model: { digest: DIGEST, onnx: "AAAA" } }, "/model/onnx"],
    [{ ...GOOD, region: { center: [0, null], radius: 1 } }, "/region/center/1"],
    [{ ...GOOD, region: { center: [0, "1"], radius: 1 } }, "/region/center/1"],
    [{ ...GOOD, region: { center: [0, 1], radius: -1 } }, "/region/radius"],
    [{ ...GOOD, region: { center: [0, 1], radius: [1, -1] } }, "/region/radius/1"],
    [{ ...GOOD, region: { center: [0, 1] } }, "/region/radius"],
    [{ ...GOOD, region: { center: JSON.parse("[1e400]"), radius: 1 } }, "/region/center/0"],
    [{ ...GOOD, region: { center: [0, 1], radius: 1, clip: [0] } }, "/region/clip"],
    [{ ...GOOD, region: { center: [0, 1], radius: 1, clip: [[0, 1], [0]] } }, "/region/clip/1"],
    [{ ...GOOD, region: { center: [0, 1], radius: 1, clip: [[0, 1], [0, "1"]] } }, "/region/clip/1/1"],
    [{ ...GOOD, region: { lower: [0] } }, "/region/upper"],
    [{ ...GOOD, region: { lower: [0], upper: [1], radius: 1 } }, "/region/radius"],
    [{ ...GOOD, region: 3 }, "/region"],
    [{ ...GOOD, property: { type: "other" } }, "/property/type"],
    [{ ...GOOD, property: {} }, "/property/type"],
    [{ ...GOOD, property: { type: "lipschitz", outputs: [0, 1.5] } }, "/property/outputs/1"],
    [{ ...GOOD, property: { type: "lipschitz", outputs: [-1] } }, "/property/outputs/0"],
    [{ ...GOOD, property: { type: "lipschitz", outputs: [0], rows: [[1]] } }, "/property/rows"],
    [{ ...GOOD, property: { type: "lipschitz", rows: [[1], [NaN]] } }, "/property/rows/1/0"],
    [{ ...GOOD, property: { type: "lipschitz", at_most: Infinity } }, "/property/at_most"],
    [{ ...GOOD, property: { type: "robustness", label: -1 } }, "/property/label"],
    [{ ...GOOD, property: { type: "monotonicity" } }, "/property/output"],
    [{ ...GOOD, property: { type: "monotonicity", output: 0, direction: "up" } }, "/property/direction"],
    [{ ...GOOD, property: RADIUS }, "/region/radius"],
    [{ ...GOOD, region: CENTER, property: { ...RADIUS, max: 0 } }, "/property/max"],
    [{ ...GOOD, region: CENTER, property: { ...RADIUS, gap: 0 } }, "/property/gap"],
    [{ ...GOOD, region: CENTER, property: { ...RADIUS, of: { type: "lipschitz" } } }, "/property/of/at_most"],
    [{ ...GOOD, region: CENTER, property: { ...RADIUS, of: { type: "output_bounds" } } }, "/property/of/type"],
    [{ ...GOOD, region: CENTER, property: { ...RADIUS, of: RADIUS } }, "/property/of/type"],
    [{ ...GOOD, options: { relaxation: "best" } }, "/options/relaxation"],
    [{ ...GOOD, options: { arithmetic: "f16" } }, "/options/arithmetic"],
    [{ ...GOOD, options: { unknown: 1 } }, "/options/unknown"],
    [{ ...GOOD, options: { search: { max_nodes: -1 } } }, "/options/search/max_nodes"],
    [{ ...GOOD, options: { search: { max_nodes: 1.5 } } }, "/options/search/max_nodes"],
    [{ ...GOOD, options: { search: { max_nodes: 2_000_000 } } }, "/options/search/max_nodes"],
    [{ ...GOOD, options: { search: { gap: 1 } } }, "/options/search/gap"],
    [{ ...GOOD, options: { search: { nodes: 1 } } }, "/options/search/nodes"],
    [{ ...GOOD, options: { search: true } }, "/options/search"],
    [{ ...GOOD, options: { search: { record: 1 } } }, "/options/search/record"],
    [{ ...GOOD, model: { digest: DIGEST, output: 7 } }, "/model/output"],
    [{ ...GOOD, output: "y" }, "/output"],
  ];
  for (const [body, pointer] of cases) {
    assert.deepEqual(pointers(body), [pointer], `${JSON.stringify(body)} -> ${JSON.stringify(refusal(body))}`);
  }
});

Deno.test("CertifyRequest names every option of a later version unsupported", () => {
  const cases: [body: unknown, pointer: string][] = [
    [{ ...GOOD, options: { observe: "logits" } }, "/options/observe"],
    [{ ...GOOD, options: { preactivation: "alpha_crown" } }, "/options/preactivation"],
  ];
  for (const [body, pointer] of cases) {
    const { type, errors } = refusal(body);
    assert.equal(type, "unsupported-option");
    assert.deepEqual(errors.map((error) => error.pointer), [pointer]);
  }
});

Deno.test("CertifyRequest names at most twenty wrong places", () => {
  const extras = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`extra${i}`, i]));
  assert.equal(refusal({ ...GOOD, ...extras }).errors.length, 20);
});
