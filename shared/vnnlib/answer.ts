/** The answer to a property: proved by bounds of its functionals over its boxes, or by the point they hold at. */
import { certify, type CertifyContext, resolveQuery } from "../certify.ts";
import { LipcertError } from "../errors.ts";
import type { Model } from "../model.ts";
import type { Box } from "../numeric/box.ts";
import { representable } from "../properties/analysis.ts";
import type { OptionsRequest } from "../query.ts";
import { attack } from "./attack.ts";
import { decide, isSearchable, type OpenCase } from "./decide.ts";
import { type Functional, functionalOf, type Range, truthOf } from "./functional.ts";
import { doublesIn, enclosing, type Point, pointAt } from "./point.ts";
import type { Case, Counterexamples } from "./property.ts";
import { meaningless } from "./source.ts";

/** `unsat`: no counterexample exists. `sat`: the one that is given. Both over the real numbers, rounding included. */
export type Answer =
  & {
    /** Disjuncts over all boxes, and those that were not proved impossible. */
    readonly disjuncts: number;
    readonly open: number;
    /** Boxes or parts of one that a search bounded. */
    readonly nodes: number;
    /** Ids of the certificates (`output_bounds`) of what was proved without a search. */
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
  /** Plain arithmetic that the first search for counterexamples may take. */
  readonly searchFlops?: number;
  /** Nodes that the search of what is left may bound; 0: there is none. */
  readonly maxNodes?: number;
}

const SEARCH_FLOPS = 2e8;

/** Nodes of a search that is not told how many. */
export const PROPERTY_NODES = 200_000;

/** At a point intervals are tight. */
const AT_A_POINT: OptionsRequest = { relaxation: "interval", preactivation: "interval" };

/**
 * Answers whether a counterexample exists.
 *
 * `unsat`: every disjunct is proved impossible, by a constraint that is false on the whole box (all functionals of a box are
 * rows of one question) or by a search of parts of it. `sat`: at a point of the box, ends as written, all constraints of a
 * disjunct are proved true. Else `unknown`. The answer depends on the question alone, unless the host ends the search.
 * Throws: `shape-mismatch` where the model has other sizes than the property; what `certify` throws.
 */
export async function answerProperty(
  property: Counterexamples,
  model: Model,
  context: CertifyContext,
  { output, options, searchFlops = SEARCH_FLOPS, maxNodes = PROPERTY_NODES }: AnswerOptions = {},
): Promise<Answer> {
  const ask: Ask = { model, context, output: output ?? onlyOutput(model), outputs: property.outputs };
  checkSizes(property, ask);
  const certificates: string[] = [];
  const disjuncts = property.cases.reduce((sum, one) => sum + one.disjuncts.length, 0);
  const left: (OpenCase & { readonly of: Case })[] = [];
  const openOf = () => left.reduce((sum, one) => sum + one.disjuncts.length, 0);
  const met = ({ certificate, counterexample }: Proof, open: number, nodes: number): Answer => {
    certificates.push(certificate);
    return { verdict: "sat", disjuncts, open, nodes, certificates, counterexample };
  };
  for (const one of property.cases) {
    const found = await openDisjuncts(one, ask, options, certificates);
    if (found.disjuncts.length > 0) left.push({ ...found, of: one });
    for (const constraints of found.disjuncts) {
      const proof = await search(one, constraints, ask, searchFlops / disjuncts);
      if (proof !== null) return met(proof, openOf(), 0);
    }
  }
  const isSearched = left.every((one) => one.disjuncts.every((constraints) => isSearchable(constraints, one.outputs)));
  if (left.length === 0 || maxNodes === 0 || !isSearched) {
    return { verdict: left.length === 0 ? "unsat" : "unknown", disjuncts, open: openOf(), nodes: 0, certificates };
  }
  let proof: Proof | null = null;
  const { open, nodes } = await decide(model.graph(ask.output), left, {
    maxNodes,
    async holdsAt(point, at, d) {
      proof = await replayAt(point, left[at].of, left[at].disjuncts[d], ask);
      return proof !== null;
    },
  }, context);
  if (proof !== null) return met(proof, open, nodes);
  return { verdict: open === 0 ? "unsat" : "unknown", disjuncts, open, nodes, certificates };
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
): Promise<OpenCase> {
  const asked = disjuncts.map((constraints) => constraints.map((one) => functionalOf(one, ask.outputs)));
  const region = enclosing(box);
  if (asked.every((functionals) => functionals.length === 0)) return { box: region, disjuncts: asked, outputs: [] };
  if (!isFinite(region)) throw meaningless("a bound of an input is beyond the range of doubles");
  const { truth, certificate, outputs } = await truthOver(region, asked.flat(), ask, options, false);
  certificates.push(certificate);
  const left = asked.filter((functionals) => !functionals.some((one) => truth(one) === false));
  return { box: region, disjuncts: left, outputs };
}

function isFinite({ lower, upper }: Box): boolean {
  return lower.every(Number.isFinite) && upper.every(Number.isFinite);
}

async function search(
  { box }: Case,
  constraints: Disjunct,
  ask: Ask,
  flops: number,
): Promise<Proof | null> {
  const { model, context: { signal } } = ask;
  for (const found of attack(model.graph(ask.output), doublesIn(box), constraints, flops, signal)) {
    const proof = await replayAt(found, { box }, constraints, ask);
    if (proof !== null) return proof;
  }
  return null;
}

interface Proof {
  readonly counterexample: Counterexample;
  readonly certificate: string;
}

/** The counterexample at a point, where there is one: in the model's input type, or at the point itself. */
async function replayAt(
  found: Float64Array,
  { box }: Pick<Case, "box">,
  constraints: Disjunct,
  ask: Ask,
): Promise<Proof | null> {
  const inType = representable(found, { box: doublesIn(box), inputType: ask.model.inputType });
  for (const coordinates of inType === found ? [found] : [inType, found]) {
    const proof = await replay(pointAt(coordinates, box), constraints, ask);
    if (proof !== null) return proof;
  }
  return null;
}

/** The counterexample, where every constraint is proved at the point. */
async function replay(point: Point, constraints: Disjunct, ask: Ask): Promise<Proof | null> {
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
