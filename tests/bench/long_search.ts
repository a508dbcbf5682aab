/** The search that threads are timed on: long enough that their Workers' code is warm for most of it. */
import { certify, type Distribute, type Kernels } from "../../shared/mod.ts";
import { openQuestion, type Question } from "./questions.ts";

export const NODES = 12_000;

export async function longSearch(): Promise<Question> {
  const asked = await openQuestion("mnist_mlp_256x3", 0.01), { query } = asked;
  const options = { ...query.options, search: { max_nodes: NODES, gap: 0 } };
  return {
    ...asked,
    query: { ...query, property: { type: "lipschitz", outputs: [6] }, options },
  } as Question;
}

/** From the first round's end to the last one's: milliseconds, and the answer. */
export async function searchTime(
  { model, query }: Question,
  kernels: Kernels,
  distribute?: Distribute,
): Promise<{ readonly ms: number; readonly id: string }> {
  const marks: number[] = [];
  const onSearch = () => void marks.push(performance.now());
  const { id } = await certify(model, query, { kernels, ...(distribute && { distribute }), onSearch });
  return { ms: marks[marks.length - 1] - marks[0], id };
}
