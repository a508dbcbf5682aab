/** The stored branch and bound of the paper's code, and our search at its own count of nodes. */
import { boxOf, findingOf, type LipschitzCase, openModel, optionsOf, readCases, STATED } from "./cases.ts";

/** What a peer's root may differ by from the stored linear bound of the same tool, where both answer one question. */
const SAME_ROOT = 1e-5;
/** How far our bound may be above the peer's. */
export const RELATIVE = 1e-6;

interface BabCase {
  readonly test_index: number;
  readonly eps: number;
  readonly dtype: "f32" | "f64";
  /** Null where it is that of the lipschitz case with this test index. */
  readonly input: readonly number[] | null;
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly root: number;
        readonly final: number;
        readonly subproblems: number;
        readonly stop: string;
        readonly exact: number | null;
      }
    >
  >;
}

/** One run of the peer. */
export interface BabRow {
  readonly case: BabCase;
  readonly output: number;
  readonly name: string;
  readonly root: number;
  readonly final: number;
  readonly subproblems: number;
  readonly exact: number | null;
  /** From the root that we start from: without optimised slopes. */
  readonly comparable: boolean;
}

export interface BabAnswer {
  readonly upper: number;
  readonly lower: number;
  readonly nodes: number;
}

/** All rows of a model. */
export async function babRows(model: string): Promise<BabRow[]> {
  const { cases } = await readCases<BabCase>("bab", model), stored = await readCases<LipschitzCase>("lipschitz", model);
  return cases.flatMap((one) =>
    Object.entries(one.outputs).map(([output, { root, final, subproblems, exact }]) => {
      const same = stored.cases.find(({ test_index, eps }) => test_index === one.test_index && eps === one.eps);
      const bound = same?.results["bp@0.3.1/f64"]?.per_output[Number(output)] ?? NaN;
      const name = `${model} #${one.test_index} eps ${one.eps} output ${output} ${one.dtype}`;
      const comparable = Math.abs(root - bound) <= SAME_ROOT * bound;
      return { case: one, output: Number(output), name, root, final, subproblems, exact, comparable };
    })
  );
}

/** Our bounds of a model's rows in turn, with as many nodes as the peer had subproblems. */
export async function* babAnswers(
  model: string,
  rows: readonly BabRow[],
): AsyncGenerator<BabAnswer & { readonly row: BabRow }> {
  const { ask } = await openModel(model), stored = await readCases<LipschitzCase>("lipschitz", model);
  for (const row of rows) {
    const region = boxOf({ ...row.case, input: row.case.input ?? "stored" }, stored.cases);
    const options = { ...optionsOf("bp"), search: { max_nodes: row.subproblems, gap: 0 } };
    const answer = await ask(region, { type: "lipschitz", outputs: [row.output] }, options);
    const { upper, lower } = findingOf(answer.finding, "lipschitz");
    yield { row, upper: upper ?? Infinity, lower, nodes: answer.nodes };
  }
}

/** What is wrong with an answer: looser than the peer's, past what is exact, or more nodes than allowed. */
export function falseBab({ row, upper, lower, nodes }: BabAnswer & { readonly row: BabRow }): string[] {
  const { name, final, exact, subproblems } = row, found: string[] = [];
  if (!(upper <= final * (1 + RELATIVE))) found.push(`${name}: ${upper}, peer ${final}`);
  if (!(lower <= upper)) found.push(`${name}: lower ${lower} above ${upper}`);
  if (nodes > subproblems) found.push(`${name}: ${nodes} nodes, allowed ${subproblems}`);
  if (exact !== null && !(upper >= exact * (1 - STATED))) found.push(`${name}: upper ${upper} below ${exact}`);
  if (exact !== null && !(lower <= exact * (1 + STATED))) found.push(`${name}: lower ${lower} above ${exact}`);
  return found;
}
