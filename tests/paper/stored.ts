/** The stored cases of a folder of networks: models/NAME.onnx, lipschitz/NAME.json, and for the large ones inputs/NAME.json. */

/** The bound of one run of another tool; null where an output was not computed, `per_output` missing where the run failed. */
interface PeerBounds {
  readonly per_output?: readonly (number | null)[];
  readonly error?: string;
}

interface PeerRun {
  readonly s?: number;
  readonly outputs?: number;
  readonly of?: number;
  readonly peak_rss_mb?: number;
  readonly status: string;
}

interface Norms {
  readonly per_output?: readonly number[];
}

/** One box, and what is known about the network on it. */
export interface StoredCase {
  readonly test_index: number;
  /** A text where it is the input of the first case with this test index. */
  readonly input: readonly number[] | string;
  readonly eps: number;
  readonly eps_text?: string;
  /** The network at the input. */
  readonly output_at_input: readonly number[];
  readonly results: Readonly<Record<string, PeerBounds>>;
  readonly timing_s?: Readonly<Record<string, number>>;
  readonly peer_runs?: Readonly<Record<string, PeerRun>>;
  readonly exact: (Norms & { readonly complete: boolean }) | null;
  readonly sampled_lower: Norms | null;
}

/** A case with its input, whatever the file says. */
export interface OpenCase extends StoredCase {
  readonly input: readonly number[];
}

type StoredInput = Pick<OpenCase, "test_index" | "input" | "output_at_input">;

export interface StoredModel {
  readonly name: string;
  readonly file: string;
  readonly cases: readonly OpenCase[];
  /** All that is stored, whatever was chosen. */
  readonly stored: readonly StoredCase[];
}

/** Names of the models of a folder that have cases, sorted. */
export async function modelNames(folder: string): Promise<string[]> {
  const stems = async (kind: string, ending: string) =>
    (await Array.fromAsync(Deno.readDir(`${folder}/${kind}`)))
      .flatMap(({ name }) => name.endsWith(ending) ? [name.slice(0, -ending.length)] : []);
  const cases = await stems("lipschitz", ".json");
  return (await stems("models", ".onnx")).filter((name) => cases.includes(name)).sort();
}

/**
 * The cases of a model for the radii and inputs that are asked for; null means those stored. A radius that is not stored
 * gives a case without values of peers, at the inputs that have cases.
 */
export async function readModelCases(
  folder: string,
  name: string,
  chosen: { readonly eps: readonly string[] | null; readonly inputs: readonly number[] | null },
): Promise<StoredModel> {
  const { cases: stored } = JSON.parse(await Deno.readTextFile(`${folder}/lipschitz/${name}.json`)) as {
    cases: readonly StoredCase[];
  };
  const inputs = [...new Set(stored.map(({ test_index }) => test_index))]
    .filter((index) => chosen.inputs === null || chosen.inputs.includes(index))
    .map((index) => inputAt(index, stored));
  const radii = (chosen.eps ?? [...new Set(stored.map(epsText))]).toSorted((a, b) => radiusOf(a) - radiusOf(b));
  const cases = inputs.flatMap((input) => radii.map((text) => caseAt(input, text, stored)));
  return { name, file: `${folder}/models/${name}.onnx`, cases, stored };
}

function inputAt(index: number, stored: readonly StoredCase[]): StoredInput {
  const first = stored.find(({ test_index }) => test_index === index);
  if (first === undefined || typeof first.input === "string") throw new TypeError(`case ${index} has no input`);
  return { test_index: index, input: first.input, output_at_input: first.output_at_input };
}

function caseAt(at: StoredInput, text: string, stored: readonly StoredCase[]): OpenCase {
  const eps = radiusOf(text);
  const known = stored.find((one) => one.test_index === at.test_index && Math.abs(one.eps - eps) < 1e-12);
  if (known !== undefined) return { ...known, input: at.input };
  return { ...at, eps, eps_text: text, results: {}, exact: null, sampled_lower: null };
}

export function epsText({ eps, eps_text }: Pick<StoredCase, "eps" | "eps_text">): string {
  return eps_text ?? String(eps);
}

/** "8/255" or "0.02" as a number. */
export function radiusOf(text: string): number {
  const [numerator, denominator, ...rest] = text.split("/");
  const value = denominator === undefined ? Number(numerator) : Number(numerator) / Number(denominator);
  if (rest.length > 0 || !(value >= 0 && value < Infinity)) throw new RangeError(`Cannot read the radius "${text}"`);
  return value;
}

/** The best bound that a peer's method (`bp`, `recurjac`, `ibp`) reached at an output: of its float64 runs where there are any. */
export function bestPeer({ results }: Pick<StoredCase, "results">, method: string, output: number): number | null {
  let best: { value: number; isDouble: boolean } | null = null;
  for (const [key, { per_output }] of Object.entries(results)) {
    const value = per_output?.[output] ?? null, isDouble = key.endsWith("/f64");
    if (value === null || !isRunOf(key, method)) continue;
    const isBetter = best === null || (isDouble === best.isDouble ? value < best.value : isDouble);
    if (isBetter) best = { value, isDouble };
  }
  return best?.value ?? null;
}

/** Whether `bp@0.3.1/f32` or `bp@0.7.1-batch256/f32` is a run of `bp`. */
export function isRunOf(key: string, method: string): boolean {
  return key.split("@")[0] === method;
}

/**
 * Which outputs a question asks for: with "stored" those that a peer bounded linearly in this case, else in the first case
 * of the same input where one did, else the predicted one; with a number as many as that, the stored ones first.
 */
export function outputsAsked(
  one: OpenCase,
  wanted: "stored" | "all" | number,
  cases: readonly StoredCase[],
): number[] {
  const all = one.output_at_input.map((_, k) => k);
  if (wanted === "all") return all;
  const sameInput = cases.filter(({ test_index }) => test_index === one.test_index);
  const bounded = [one, ...sameInput].map((c) => all.filter((k) => bestPeer(c, "bp", k) !== null));
  const predicted = one.output_at_input.indexOf(Math.max(...one.output_at_input));
  const stored = bounded.find((outputs) => outputs.length > 0) ?? [predicted];
  if (wanted === "stored") return stored;
  return [...stored, ...all.filter((k) => !stored.includes(k))].slice(0, wanted).sort((a, b) => a - b);
}
