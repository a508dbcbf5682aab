/** The answer to a property: proved by bounds of its functionals over its boxes, or by the point they hold at. */
import { certify, type CertifyContext, resolveQuery } from "../certify.ts";
import { LipcertError } from "../errors.ts";
import type { Model } from "../model.ts";
import type { Box } from "../numeric/box.ts";
import { representable } from "../properties/analysis.ts";
import type { OptionsRequest } from "../query.ts";
import { attack } from "./attack.ts";
import { type Functional, functionalOf, type Range, truthOf } from "./functional.ts";
import { doublesIn, enclosing, type Point, pointAt } from "./point.ts";
import type { Case, Counterexamples } from "./property.ts";
import { meaningless } from "./source.ts";

/** `unsat`: no counterexample exists. `sat`: the one that is given. Both over the real numbers, rounding included. */
export type Answer =
  & {
    /** Disjuncts over all boxes, and those of which no constraint was proved false. */
    readonly disjuncts: number;
    readonly open: number;
    /** Ids of the certificates (`output_bounds`) of what was proved. */
    readonly certificates: readonly string[];
  }
  & ({ readonly verdict: "unsat" | "unknown" } | { readonly verdict: "sat"; readonly counterexample: Counterexample });

/** Decimal numbers: the inputs are exact, the outputs are doubles out of their proved bounds. */
export interface Counterexample {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface AnswerOptions {
  /** Name of the model's output, where it has several. */
  readonly output?: string;
  /** How the boxes are bounded. */
  readonly options?: OptionsRequest;
  /** Plain arithmetic that the search for counterexamples may take. */
  readonly searchFlops?: number;
}

const SEARCH_FLOPS = 1e9;

/** At a point intervals are tight. */
const AT_A_POINT: OptionsRequest = { relaxation: "interval", preactivation: "interval" };

/**
 * Answers whether a counterexample exists.
 *
 * `unsat`: in every disjunct a constraint is proved false on the whole box (all functionals of a box are rows of one
 * question). `sat`: at a point of the box, ends as written, all constraints of a disjunct are proved true. Else `unknown`.
 * Throws: `shape-mismatch` where the model has other sizes than the property; what `certify` throws.
 */
export async function answerProperty(
  property: Counterexamples,
  model: Model,
  context: CertifyContext,
  { output, options, searchFlops = SEARCH_FLOPS }: AnswerOptions = {},
): Promise<Answer> {
  const ask: Ask = { model, context, output: output ?? onlyOutput(model), outputs: property.outputs };
  checkSizes(property, ask);
  const certificates: string[] = [];
  const disjuncts = property.cases.reduce((sum, one) => sum + one.disjuncts.length, 0);
  let open = 0;
  for (const one of property.cases) {
    const left = await openDisjuncts(one, ask, options, certificates);
    open += left.length;
    for (const constraints of left) {
      const found = await search(one, constraints, ask, searchFlops / disjuncts);
      if (found === null) continue;
      certificates.push(found.certificate);
      return { verdict: "sat", disjuncts, open, certificates, counterexample: found.counterexample };
    }
  }
  return { verdict: open === 0 ? "unsat" : "unknown", disjuncts, open, certificates };
}

interface Ask {
  readonly model: Model;
  readonly context: CertifyContext;
  readonly output: string;
  readonly outputs: number;
}

function onlyOutput({ description: { outputs } }: Model): string {
  if (outputs.length === 1) return outputs[0].name;
  throw meaningless(`the model has several outputs, name one of: ${outputs.map(({ name }) => name).join(", ")}`);
}

function checkSizes({ inputs, outputs }: Counterexamples, { model, output }: Ask): void {
  const { inputSize, outputSize } = model.sizes(output);
  if (inputs === inputSize && outputs === outputSize) return;
  throw new LipcertError(
    "shape-mismatch",
    `Cannot read property: it declares ${inputs} inputs and ${outputs} outputs, ` +
      `the model has ${inputSize} inputs and ${outputSize} values in output ${JSON.stringify(output)}`,
    { wanted: [inputSize, outputSize], got: [inputs, outputs] },
  );
}

type Disjunct = readonly Functional[];

/** The disjuncts of a case that the bounds of its box leave open. */
async function openDisjuncts(
  { box, disjuncts }: Case,
  ask: Ask,
  options: OptionsRequest | undefined,
  certificates: string[],
): Promise<Disjunct[]> {
  const asked = disjuncts.map((constraints) => constraints.map((one) => functionalOf(one, ask.outputs)));
  if (asked.every((functionals) => functionals.length === 0)) return asked;
  const region = enclosing(box);
  if (!isFinite(region)) throw meaningless("a bound of an input is beyond the range of doubles");
  const { truth, certificate } = await truthOver(region, asked.flat(), ask, options, false);
  certificates.push(certificate);
  return asked.filter((functionals) => !functionals.some((one) => truth(one) === false));
}

function isFinite({ lower, upper }: Box): boolean {
  return lower.every(Number.isFinite) && upper.every(Number.isFinite);
}

async function search(
  { box }: Case,
  constraints: Disjunct,
  ask: Ask,
  flops: number,
): Promise<{ counterexample: Counterexample; certificate: string } | null> {
  const doubles = doublesIn(box);
  const { model, context: { signal } } = ask;
  const graph = model.graph(ask.output);
  for (const found of attack(graph, doubles, constraints, flops, signal)) {
    const inType = representable(found, { box: doubles, inputType: model.inputType });
    for (const coordinates of inType === found ? [found] : [inType, found]) {
      const proved = await replay(pointAt(coordinates, box), constraints, ask);
      if (proved !== null) return proved;
    }
  }
  return null;
}

/** The counterexample, where every constraint is proved at the point. */
async function replay(point: Point, constraints: Disjunct, ask: Ask) {
  if (!isFinite(point.cell)) return null;
  const { truth, certificate, outputs } = await truthOver(point.cell, constraints, ask, AT_A_POINT, true);
  if (!constraints.every((one) => truth(one) === true)) return null;
  const middle = ({ lower, upper }: Range) => Math.min(Math.max(lower / 2 + upper / 2, lower), upper);
  const values = outputs.map(middle);
  if (!values.every(Number.isFinite)) return null;
  return { counterexample: { inputs: point.texts, outputs: values.map(String) }, certificate };
}

interface Truth {
  /** Of a constraint over the whole region. */
  readonly truth: (functional: Functional) => boolean | null;
  /** Bounds of the outputs: only those that were asked for are known. */
  readonly outputs: readonly Range[];
  readonly certificate: string;
}

const UNKNOWN: Range = { lower: -Infinity, upper: Infinity };

/** Bounds all functionals over a region in one question; outputs too where a coefficient was rounded, or all of them. */
async function truthOver(
  region: Box,
  functionals: Disjunct,
  { model, context, output, outputs }: Ask,
  options: OptionsRequest | undefined,
  allOutputs: boolean,
): Promise<Truth> {
  const rows = new Map<string, readonly number[]>();
  for (const { row } of functionals) rows.set(row.join(), row);
  const named = allOutputs
    ? Array.from({ length: outputs }, (_, k) => k)
    : functionals.flatMap((one) => [...one.errors.keys()]);
  const unit = (k: number) => Array.from({ length: outputs }, (_, j) => j === k ? 1 : 0);
  for (const k of named) rows.set(unit(k).join(), unit(k));
  const request = {
    output,
    region: { lower: Array.from(region.lower), upper: Array.from(region.upper) },
    property: { type: "output_bounds" as const, rows: [...rows.values()] },
    ...(options === undefined ? {} : { options }),
  };
  const { id, finding } = await certify(model, await resolveQuery(request, model, context.kernels), context);
  if (finding.type !== "output_bounds") throw new RangeError("the certificate answers another question");
  const ranges = new Map([...rows.keys()].map((key, r) => [
    key,
    { lower: finding.lower[r] ?? -Infinity, upper: finding.upper[r] ?? Infinity },
  ]));
  const known = Array.from({ length: outputs }, (_, k) => ranges.get(unit(k).join()) ?? UNKNOWN);
  return {
    truth: (functional) => truthOf(functional, ranges.get(functional.row.join())!, known),
    outputs: known,
    certificate: id,
  };
}
