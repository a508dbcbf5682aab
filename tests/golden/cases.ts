/** The stored values of other tools, typed, and the question that each of them answers. */
import { createKernels } from "../../functions/kernels.ts";
import { certify, type Finding, type Kernels, type Model, type Query, readModel } from "../../shared/mod.ts";

/** What an enumeration's or a sampler's own roundings may have moved a value, relative. */
export const STATED = 1e-9;

/** digits_leaky: the file's slope is the float32 next to the 0.1 that its peer computed with, 1.5e-8 above it. */
const ROUNDED_SLOPE = 3e-8;

/** {@link STATED}, or what a model's stored values are off by on top of it. */
export function statedOf(model: string): number {
  return model === "digits_leaky" ? ROUNDED_SLOPE : STATED;
}

export interface Ends {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/** A maximum over outputs, by output and over all. */
export interface Norms {
  readonly per_output: readonly number[];
  readonly max: number;
}

interface BoxCase {
  readonly test_index: number;
  readonly eps: number;
  /** A text where it is the input of the first case with this test index. */
  readonly input: readonly number[] | string;
}

export interface LipschitzCase extends BoxCase {
  readonly results: Readonly<Record<string, Norms>>;
  readonly exact: (Partial<Norms> & { readonly complete: boolean }) | null;
  readonly sampled_lower: Norms | null;
}

export interface OutputsCase extends BoxCase {
  readonly results: Readonly<Record<string, Ends>>;
  readonly sampled_range: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly margins: {
    readonly label: number;
    readonly others: readonly number[];
    readonly attack_min: readonly number[];
    readonly results: Readonly<Record<string, { readonly lower: readonly number[] }>>;
    readonly verdicts: Readonly<Record<string, "robust" | "falsified" | "unknown">>;
  } | null;
}

export interface MonotoneCase extends Ends {
  readonly test_index: number;
  readonly feature: number;
  readonly mode: string;
  readonly results: Readonly<
    Record<string, { readonly lower: number; readonly upper: number; readonly verdict: "inc" | "dec" | "unknown" }>
  >;
  readonly sampled: { readonly min: number; readonly max: number } | null;
  readonly exact: { readonly min: number; readonly max: number; readonly verdict: string } | null;
}

interface Stored<Case> {
  readonly output?: number;
  readonly cases: readonly Case[];
}

export type Options = Query["options"];

/** Which of our relaxations answers the same question as a peer's method. */
export function optionsOf(method: string): Options {
  const name = method.split(/[@/]/)[0];
  const [relaxation, preactivation] = PEER_METHODS[name];
  return { relaxation, preactivation, arithmetic: "f64" };
}

const PEER_METHODS: Readonly<Record<string, readonly [Options["relaxation"], Options["preactivation"]]>> = {
  "ibp": ["interval", "interval"],
  "recurjac": ["recurjac", "crown"],
  "recurjac_orig": ["recurjac", "crown"],
  "bp": ["linear", "crown"],
  "IBP": ["interval", "interval"],
  "CROWN-IBP": ["linear", "interval"],
  "CROWN": ["linear", "crown"],
};

/** The cases of tests/golden/<kind>/<model>.json. */
export async function readCases<Case>(kind: string, model: string): Promise<Stored<Case>> {
  return JSON.parse(await Deno.readTextFile(new URL(`./${kind}/${model}.json`, import.meta.url)));
}

/** Names of the models that have cases of a kind. */
export function modelsOf(kind: string): string[] {
  const names = Array.from(Deno.readDirSync(new URL(`./${kind}/`, import.meta.url)), ({ name }) => name);
  return names.map((name) => name.replace(/\.json$/, "")).sort();
}

export interface Answer {
  readonly finding: Finding;
  readonly verdict: string;
  /** Of a search; 0 where none was asked for. */
  readonly nodes: number;
}

/** One model, ready to be asked; kernels with a memory of their own. */
export interface Asked {
  readonly model: Model;
  ask(region: Ends, property: Query["property"], options: Options): Promise<Answer>;
}

export async function openModel(name: string): Promise<Asked> {
  const model = await readModel(await Deno.readFile(new URL(`../models/reference/${name}.onnx`, import.meta.url)));
  const kernels: Kernels = createKernels(2 ** 29);
  const output = model.description.outputs[0].name;
  return {
    model,
    ask: async (region, property, options) => {
      const query = { model_digest: model.digest, output, region, property, options };
      const { finding, verdict, method } = await certify(model, query, { kernels });
      return { finding, verdict, nodes: method.search.nodes };
    },
  };
}

/** lower = max(input - eps, 0), upper = min(input + eps, 1) in doubles, as the peers were given it. */
export function boxOf({ test_index, input: stored, eps }: BoxCase, cases: readonly BoxCase[]): Ends {
  const input = typeof stored === "string" ? cases.find((one) => one.test_index === test_index)?.input : stored;
  if (input === undefined || typeof input === "string") throw new TypeError(`case ${test_index} has no input`);
  return { lower: input.map((x) => Math.max(x - eps, 0)), upper: input.map((x) => Math.min(x + eps, 1)) };
}

/** The finding, checked to be of the kind that was asked for. */
export function findingOf<T extends Finding["type"]>(finding: Finding, type: T): Extract<Finding, { type: T }> {
  if (finding.type !== type) throw new TypeError(`a finding of ${type} was expected, got ${finding.type}`);
  return finding as Extract<Finding, { type: T }>;
}
