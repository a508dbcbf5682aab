/** The certificate: what is served, and what can be handed in to be checked. */
import { z } from "@hono/zod-openapi";
import { boundList, numberList, numberListOrNull, numberRows } from "./numbers.ts";

const index = () => z.int().min(0);
const indices = () => numberList({ integer: true, minimum: 0 });
const bound = () => z.number().nullable();

/** An entry speaks of an output by index, or of a row of the question by position. */
function target<S extends z.ZodRawShape>(shape: S) {
  return z.union([z.strictObject({ output: index(), ...shape }), z.strictObject({ row: index(), ...shape })]);
}

const Robustness = z.strictObject({ type: z.literal("robustness"), label: index() });

const Monotonicity = z.strictObject({
  type: z.literal("monotonicity"),
  output: index(),
  features: indices(),
  direction: z.enum(["increasing", "decreasing"]).optional(),
});

const AskedClaim = z.union([
  z.strictObject({ type: z.literal("lipschitz"), outputs: indices(), at_most: z.number() }),
  z.strictObject({ type: z.literal("lipschitz"), rows: numberRows(), at_most: z.number() }),
  Robustness,
  Monotonicity,
]).openapi("AskedClaim");

const AskedProperty = z.union([
  z.strictObject({ type: z.literal("lipschitz"), outputs: indices(), at_most: z.number().optional() }),
  z.strictObject({ type: z.literal("lipschitz"), rows: numberRows(), at_most: z.number().optional() }),
  z.strictObject({ type: z.literal("jacobian_bounds"), outputs: indices() }),
  z.strictObject({ type: z.literal("jacobian_bounds"), rows: numberRows() }),
  z.strictObject({ type: z.literal("output_bounds"), outputs: indices() }),
  z.strictObject({ type: z.literal("output_bounds"), rows: numberRows() }),
  Robustness,
  Monotonicity,
  z.strictObject({
    type: z.literal("radius"),
    of: AskedClaim,
    center: numberList(),
    max: z.number().gt(0),
    gap: z.number().gt(0).lt(1),
  }),
]).openapi("AskedProperty");

const Query = z.strictObject({
  model_digest: z.string(),
  output: z.string(),
  region: z.strictObject({ lower: numberList(), upper: numberList() }),
  property: AskedProperty,
  options: z.strictObject({
    relaxation: z.enum(["interval", "recurjac", "linear"]),
    preactivation: z.enum(["interval", "crown"]),
    arithmetic: z.enum(["auto", "f32", "f64"]),
    search: z.strictObject({
      max_nodes: z.int().min(0),
      gap: z.number().min(0),
      time_ms: z.int().min(0).optional(),
      record: z.literal(true).optional(),
    })
      .optional(),
  }),
}).openapi("Query", { description: "The question with every default resolved" });

/** Points that refute a claim, and what they speak of. */
const Refutation = z.union([
  target({ points: numberRows() }),
  z.strictObject({ feature: index(), points: numberRows() }),
  z.strictObject({ points: numberRows() }),
]).openapi("Refutation", {
  description:
    "A counterexample of a label; an output or row and the point where its gradient's norm is too large; a " +
    "feature and the points where its derivative has the other sign, or both",
});

const Finding = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("lipschitz"),
    norm: z.literal("linf->linf"),
    upper: bound(),
    lower: z.number(),
    gap: bound(),
    exact: z.boolean(),
    outputs: z.array(target({ upper: bound(), lower: z.number() })),
    witness: target({ point: numberList() }),
  }),
  z.strictObject({
    type: z.literal("jacobian_bounds"),
    outputs: z.array(target({ lower: boundList(), upper: boundList() })),
  }),
  z.strictObject({ type: z.literal("output_bounds"), lower: boundList(), upper: boundList() }),
  z.strictObject({
    type: z.literal("robustness"),
    label: index(),
    margins: z.array(z.strictObject({ output: index(), lower: bound() })),
    counterexample: numberListOrNull(),
  }),
  z.strictObject({
    type: z.literal("monotonicity"),
    output: index(),
    features: z.array(z.strictObject({
      feature: index(),
      direction: z.enum(["increasing", "decreasing", "constant", "neither", "unknown"]),
      lower: bound(),
      upper: bound(),
      witnesses: numberRows(),
      unproved: z.number().min(0).max(1).optional().openapi({
        description: "Of a searched feature that is unknown: at least the share of the box in which its sign is open",
      }),
    })),
  }),
  z.strictObject({
    type: z.literal("radius"),
    of: z.enum(["lipschitz", "robustness", "monotonicity"]),
    certified: bound().openapi({ description: "The claim holds at every radius up to here" }),
    refuted: bound().openapi({ description: "It fails at every radius from here on: the distance of the witness" }),
    gap: bound(),
    witness: Refutation.nullable(),
    steps: z.int().min(1),
    stopped_by: z.enum(["gap", "unknown", "steps", "time", "canceled"]),
  }),
]).openapi("Finding");

const bounds = () => z.strictObject({ lower: boundList(), upper: boundList() });
const signs = () => numberList({ integer: true, minimum: -1 });

const Piece = z.strictObject({
  tree: index(),
  parent: index().nullable(),
  cut: z.union([
    z.strictObject({ unit: index(), phase: z.union([z.literal(1), z.literal(-1)]) }),
    z.strictObject({ feature: index(), at: z.number(), side: z.enum(["lower", "upper"]) }),
  ]).nullable(),
  box: bounds().optional(),
  phases: signs().optional(),
  heights: bounds().optional(),
  gradients: bounds().optional(),
  entries: z.strictObject({ features: indices(), lower: boundList(), upper: boundList() }).optional(),
  lower_slopes: numberList().optional(),
  over_gradients: numberList().optional(),
  over_heights: numberList().optional(),
  weights: numberList().optional(),
  exact: z.literal(true).optional(),
  bound: bound(),
  empty: z.union([
    z.strictObject({ by: z.literal("phases") }),
    z.strictObject({ by: z.literal("row"), unit: index(), sign: z.int() }),
    z.strictObject({ by: z.literal("half_spaces"), units: indices(), multipliers: numberList() }),
    z.strictObject({ by: z.literal("exact"), units: indices(), thin: z.boolean() }),
  ]).optional(),
}).openapi("Piece", { description: "A part of the region with its bound; what is absent is that of its parent" });

const Record = z.strictObject({
  units: z.array(z.strictObject({ activation: index(), index: index(), kink: z.number() })),
  trees: z.array(z.strictObject({
    aim: z.enum(["norm", "entry", "value"]),
    row: numberList(),
    among: indices().optional(),
    feature: index().optional(),
    bound: bound(),
  })),
  pieces: z.array(Piece),
}).openapi("Record", {
  description:
    "Every part that the search bounded, so that its bounds can be derived again. The network of relus that it speaks of " +
    "follows from the model and the region. verify checks that the parts cover and that a constant follows from their bounds, " +
    "not the bounds themselves",
});

export const Certificate = z.strictObject({
  id: z.string().openapi({ description: "SHA-256 of the canonical JSON (RFC 8785) of the rest" }),
  question: z.string().openapi({ description: "SHA-256 of the resolved query and the engine's version" }),
  schema: z.literal("lipcert.certificate/1"),
  query: Query,
  verdict: z.enum(["certified", "refuted", "unknown"]),
  reason: z.enum(["overflow", "bounds-too-loose"]).nullable(),
  finding: Finding,
  method: z.strictObject({
    relaxation: z.string(),
    preactivation: z.string(),
    search: z.strictObject({
      nodes: z.int().min(0),
      open: z.int().min(0),
      stopped_by: z.enum(["none", "closed", "gap", "max_nodes", "record", "time", "canceled", "memory"]),
      parts: z.int().min(2).optional(),
    }),
  }),
  arithmetic: z.strictObject({
    kind: z.enum(["f32-outward", "f64-outward"]).openapi({
      description: "What coefficients were computed in, in the end",
    }),
    encloses: z.literal("the network over the real numbers"),
    assumes: z.array(z.string()),
  }),
  engine: z.strictObject({ name: z.literal("lipcert"), version: z.string() }),
  work: z.strictObject({ gflop: z.number(), rows: z.int() }),
  reproducible: z.boolean().openapi({
    description:
      "Whether the question alone decided these bytes: false where time, memory or a cancellation ended the search",
  }),
  record: Record.optional(),
}).openapi("Certificate");
