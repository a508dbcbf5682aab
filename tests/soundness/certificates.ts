/** Every kind of question about one random network, and whether any answer contradicts exact values. */
import { certify } from "../../shared/certify.ts";
import type { Finding } from "../../shared/certificate/finding.ts";
import type { Graph } from "../../shared/graph.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import type { Model } from "../../shared/model.ts";
import type { Query } from "../../shared/query.ts";
import { compare, exact } from "../exact/dyadic.ts";
import type { Random } from "../exact/random.ts";
import { component } from "../exact/vector.ts";
import {
  falseJacobianBounds,
  falseLipschitz,
  falseMonotonicity,
  falseOutputBounds,
  falseRobustness,
  falseWitness,
} from "./findings.ts";
import { type Region, type Rows, type Sample, sampleAt, samplePoints } from "./samples.ts";

type Options = Query["options"];
type Property = Query["property"];

/** Every relaxation, and both kinds of preactivation bounds. */
export const OPTIONS: readonly Options[] = [
  { relaxation: "interval", preactivation: "interval", arithmetic: "f64" },
  { relaxation: "recurjac", preactivation: "crown", arithmetic: "f64" },
  { relaxation: "linear", preactivation: "interval", arithmetic: "f64" },
  { relaxation: "linear", preactivation: "crown", arithmetic: "f64" },
];

/** A model that is a graph already; its name stands for the bytes. */
export function modelOf(graph: Graph, name: string): Model {
  const inputSize = graph.nodes[0].size, outputSize = graph.nodes.at(-1)!.size;
  return {
    digest: `sha256:${name}`,
    description: {
      inputs: [{ name: "x", shape: [1, inputSize] }],
      outputs: [{ name: "y", shape: [1, outputSize] }],
      operators: [],
      opset: 13,
      parameters: 0,
      activations: 0,
    },
    inputType: "float64",
    graph: () => graph,
    sizes: () => ({ inputSize, outputSize }),
    bytes: 0,
  };
}

/** What was compared: questions asked, bounds that claim something, contradictions in words. */
export interface Tally {
  questions: number;
  bounds: number;
  witnesses: number;
  readonly found: string[];
}

export function emptyTally(): Tally {
  return { questions: 0, bounds: 0, witnesses: 0, found: [] };
}

/** A network with its box; the recipe tells whether its numbers are extreme. */
export interface AskedNetwork extends Region {
  readonly name: string;
  readonly recipe: string;
  readonly graph: Graph;
}

/** Asks everything about a network (of the model, if it was read from bytes) and compares with exact values; adds to the tally. */
export async function checkCertificates(
  network: AskedNetwork,
  kernels: Kernels,
  random: Random,
  points: number,
  tally: Tally,
  model: Model = modelOf(network.graph, network.name),
  arithmetic: Options["arithmetic"] = "f64",
): Promise<void> {
  const samples = samplePoints(network.graph, network, random, points);
  const outputs = samples[0].output.numerators.map((_, k) => k);
  const large = network.recipe === "extreme" ? 10 ** random.between(-50, 200) : 1;
  const coefficient = () => large * random.pick([0, 1, -1, 0.5, random.normal()]);
  const rows = outputs.map(() => outputs.map(coefficient)).slice(0, 2);
  const combined = samplePoints(network.graph, network, random, 2, rows);
  const lowers: number[] = [];
  const uppers: number[] = [];
  for (const one of OPTIONS) {
    const options = { ...one, arithmetic };
    const ask = async (property: Property): Promise<Finding> => {
      tally.questions++;
      return (await certify(model, queryOf(network, model, property, options), { kernels })).finding;
    };
    const report = (found: readonly string[], property: string) => {
      const { relaxation, preactivation } = options;
      tally.found.push(...found.map((text) => `${network.name}, ${property}, ${relaxation}/${preactivation}: ${text}`));
    };
    const facts: Facts = { network, samples, combined, rows, random, tally };
    for (const property of questionsOf(outputs, rows, samples[0], network.graph.nodes[0].size, random)) {
      const finding = await ask(property);
      tally.bounds += countBounds(finding);
      report(contradictions(finding, "rows" in property, facts), property.type);
      if (finding.type !== "lipschitz" || "rows" in property) continue;
      lowers.push(...finding.outputs.map(({ lower }) => lower));
      uppers.push(...finding.outputs.map(({ upper }) => upper ?? Infinity));
    }
  }
  // A lower bound holds whatever relaxation stood beside it.
  outputs.forEach((k) => {
    const of = (bounds: readonly number[]) => bounds.filter((_, at) => at % outputs.length === k);
    const most = Math.max(...of(lowers)), least = Math.min(...of(uppers));
    if (!(most <= least)) tally.found.push(`${network.name}: lower ${most} of output ${k} above an upper ${least}`);
  });
}

function queryOf(region: Region, model: Model, property: Property, options: Options): Query {
  return {
    model_digest: model.digest,
    output: "y",
    region: { lower: Array.from(region.lower), upper: Array.from(region.upper) },
    property,
    options,
  };
}

function questionsOf(
  outputs: readonly number[],
  rows: Rows,
  centre: Sample,
  inputs: number,
  random: Random,
): readonly Property[] {
  const features = Array.from({ length: inputs }, (_, i) => i);
  const largest = outputs.reduce(
    (best, k) => centre.output.numerators[k] > centre.output.numerators[best] ? k : best,
    0,
  );
  const label = random.chance(0.8) ? largest : random.pick(outputs);
  const questions: Property[] = [
    { type: "lipschitz", outputs },
    { type: "lipschitz", rows },
    { type: "output_bounds", outputs },
    { type: "output_bounds", rows },
    { type: "jacobian_bounds", outputs },
    { type: "jacobian_bounds", rows },
    { type: "monotonicity", output: random.pick(outputs), features },
  ];
  return outputs.length > 1 ? [...questions, { type: "robustness", label }] : questions;
}

interface Facts {
  readonly network: AskedNetwork;
  readonly samples: readonly Sample[];
  /** The same for the rows. */
  readonly combined: readonly Sample[];
  readonly rows: Rows;
  readonly random: Random;
  readonly tally: Tally;
}

function contradictions(finding: Finding, byRow: boolean, facts: Facts): string[] {
  const { network, samples, combined, rows, random, tally } = facts;
  const at = (point: readonly number[], over?: Rows) => {
    tally.witnesses++;
    return sampleAt(network.graph, network, Float64Array.from(point), random, over);
  };
  switch (finding.type) {
    case "output_bounds":
      return falseOutputBounds(byRow ? combined : samples, finding);
    case "jacobian_bounds":
      return falseJacobianBounds(byRow ? combined : samples, finding.outputs);
    case "lipschitz": {
      const claim = {
        ...finding,
        outputs: finding.outputs.map((one) => ({ ...one, output: "row" in one ? one.row : one.output })),
        witness: { point: finding.witness.point, output: indexOf(finding.witness) },
      };
      const witness = at(finding.witness.point, byRow ? rows : undefined);
      return [...falseLipschitz(byRow ? combined : samples, claim), ...falseWitness(network, claim, witness)];
    }
    case "robustness": {
      const counterexample = finding.counterexample === null ? null : at(finding.counterexample);
      return falseRobustness(network, samples, { ...finding, counterexample });
    }
    case "monotonicity": {
      const column = samples.map((sample) => onlyRow(sample, finding.output));
      const signs = finding.features.flatMap(({ feature, direction, witnesses }) =>
        direction !== "neither" ? [] : witnesses.flatMap((point, side) => {
          const { jacobians } = at(point);
          const values = jacobians.map((row) => component(row[finding.output], feature));
          const right = values.every((value) => compare(value, exact(0)) === (side === 0 ? -1 : 1));
          return right ? [] : [`witness ${side} of feature ${feature} has a derivative of the other sign`];
        })
      );
      return [...falseMonotonicity(column, 0, finding.features), ...signs];
    }
    case "radius":
      throw new TypeError("no radius is asked for here: tests/shared/radius/");
  }
}

function indexOf(target: { readonly output: number } | { readonly row: number }): number {
  return "row" in target ? target.row : target.output;
}

function onlyRow(sample: Sample, row: number): Sample {
  return { ...sample, jacobians: sample.jacobians.map((rows) => [rows[row]]) };
}

function countBounds(finding: Finding): number {
  const ends = JSON.stringify(finding).match(/"(lower|upper)":(\[[^\]]*\]|[^,}]*)/g) ?? [];
  return ends.reduce((sum, text) => sum + (text.match(/-?\d[\d.e+-]*/g)?.length ?? 0), 0);
}
