/** The body of `POST /v1/certify`: the schemas that check it are the ones that document it. */
import { z } from "@hono/zod-openapi";
import { capabilities } from "../../shared/mod.ts";
import type { LaterOption } from "../http/issues.ts";
import { numberList, numberOrList, numberRows, pairOrPairs } from "./numbers.ts";

const { options: { search: SEARCH }, radius: RADIUS } = capabilities();

const indices = () => numberList({ integer: true, minimum: 0 });

/** `outputs` and `rows` exclude each other; neither means every output. */
const selection = { outputs: indices().optional(), rows: numberRows().optional() };

function oneSelection(property: { outputs?: unknown; rows?: unknown }, c: z.RefinementCtx): void {
  if (property.outputs !== undefined && property.rows !== undefined) {
    c.addIssue({ code: "custom", path: ["rows"], message: "cannot be given together with outputs" });
  }
}

const CenterRegion = z.strictObject({
  center: numberList(),
  radius: numberOrList({ minimum: 0 }).optional().openapi({
    description: "Needed, except where the property is radius: there it is what is asked for",
  }),
  clip: pairOrPairs().optional(),
}).openapi("CenterRegion", { description: "The box center ± radius, rounded outward, clipped where asked" });

const BoxRegion = z.strictObject({ lower: numberList(), upper: numberList() })
  .openapi("BoxRegion", { description: "The box between its two ends" });

const Region = z.union([CenterRegion, BoxRegion]);

const Robustness = z.strictObject({ type: z.literal("robustness"), label: z.int().min(0).optional() });

const Monotonicity = z.strictObject({
  type: z.literal("monotonicity"),
  output: z.int().min(0),
  features: indices().optional(),
  direction: z.enum(["increasing", "decreasing"]).optional(),
});

const Claim = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("lipschitz"), ...selection, at_most: z.number().min(0) }).superRefine(oneSelection),
  Robustness,
  Monotonicity,
]).openapi("Claim", { description: "What holds or fails over a box" });

const Radius = z.strictObject({
  type: z.literal("radius"),
  of: Claim,
  max: z.number().gt(0).openapi({
    description: "The largest radius to try: the verdict is that of the claim up to it",
  }),
  gap: z.number().min(RADIUS.gap.minimum).lt(1).optional().openapi({
    description: "The relative gap between the radius certified and the one refuted at which the bisection ends " +
      `(${RADIUS.gap.default} unless told)`,
  }),
}).openapi("Radius", {
  description: "How far around the region's center the claim holds; the region gives no radius of its own",
});

const Property = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("lipschitz"), ...selection, at_most: z.number().min(0).optional() })
    .superRefine(oneSelection),
  z.strictObject({ type: z.literal("jacobian_bounds"), ...selection }).superRefine(oneSelection),
  z.strictObject({ type: z.literal("output_bounds"), ...selection }).superRefine(oneSelection),
  Robustness,
  Monotonicity,
  Radius,
]).openapi("Property");

const Options = z.strictObject({
  relaxation: z.enum(["interval", "recurjac", "linear"]).optional(),
  preactivation: z.enum(["interval", "crown"]).optional(),
  arithmetic: z.enum(["auto", "f32", "f64"]).optional().openapi({
    description:
      "What coefficients are computed in. Bounds in f32 are proved as well, sooner on large networks and a " +
      "little looser; auto chooses by the size of the question and redoes in f64 what f32 would leave open",
  }),
  search: z.strictObject({
    max_nodes: z.int().min(0).max(SEARCH.max_nodes.maximum).optional(),
    gap: z.number().min(0).lt(1).optional(),
    time_ms: z.int().min(0).max(SEARCH.time_ms.maximum).optional(),
    record: z.boolean().optional(),
  }).optional().openapi({
    description:
      `Branch and bound: at most max_nodes parts of the region (${SEARCH.max_nodes.default} unless told) are bounded, or until ` +
      "the relative gap is at most gap (0 unless told), or time_ms milliseconds have passed since the question began (all radii together). " +
      "With record every part that was bounded stands in the certificate, so that its bound can be derived again from the " +
      `model: for at most ${SEARCH.record.max_nodes} nodes, and the search ends (stopped_by record) before its parts hold more than ` +
      `${SEARCH.record.numbers} numbers; the radius property has none. ` +
      "What time ends is proved as well, but not reproducible: such a certificate is found by its id only. " +
      "Absent: the bounds of one pass",
  }),
}).openapi("Options");

/** Options that are named in the contract and not there yet. */
export const LATER_OPTIONS: readonly LaterOption[] = [
  { path: ["options", "observe"] },
  { path: ["options", "preactivation"], value: "alpha_crown" },
];

/** Characters of a URL to call back. */
const MOST_URL = 1024;

const output = z.string().optional().openapi({ description: "Name of the output, where the model has several" });

const question = {
  region: Region,
  property: Property,
  options: Options.optional(),
  callback_url: z.string().max(MOST_URL).optional().openapi({
    format: "uri",
    description: "Where the question becomes a job: told of its end. Not told of what is answered at once",
  }),
};

/** A center has a radius beside it, unless one is asked for. */
function oneRadius(asked: { region: object; property: { type: string } }, c: z.RefinementCtx): void {
  const given = "radius" in asked.region, needed = "center" in asked.region && asked.property.type !== "radius";
  if (given === needed || "lower" in asked.region) return;
  const message = needed ? "missing" : "cannot be given where a radius is asked for: give max of the property";
  c.addIssue({ code: "custom", path: ["region", "radius"], message });
}

/** The part `query` of a multipart body: the question without its model. */
export const Question = z.strictObject({ model: z.strictObject({ output }).optional(), ...question })
  .superRefine(oneRadius).openapi("Question");

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "expected sha256: and 64 hexadecimal digits")
  .openapi("Digest", { description: "SHA-256 of the bytes of the ONNX file", example: `sha256:${"0".repeat(64)}` });

export const ModelPath = z.object({ digest: Digest });

/** A model in a body: its bytes or the digest of one that is kept here. */
export const ModelReference = z.union([
  z.strictObject({ digest: Digest, output }),
  z.strictObject({ output, onnx: z.string().openapi({ format: "byte", description: "The ONNX file in base64" }) }),
]).openapi("ModelReference");

export const CertifyRequest = z.strictObject({ model: ModelReference, ...question }).superRefine(oneRadius)
  .openapi("CertifyRequest");

export const CertifyForm = z.strictObject({
  model: z.string().openapi({ type: "string", format: "binary", description: "The ONNX file" }),
  query: Question,
}).openapi("CertifyForm");

export type ModelReference = z.output<typeof ModelReference>;
