/** One thread of a search: expands the nodes that it takes of every round. */
import { expanderFor } from "../../shared/mod.ts";
import { createKernels } from "../kernels.ts";
import { failureOf } from "./messages.ts";
import { type Done, type FromThread, type Round, takeNodes, type ToThread } from "./thread_messages.ts";

/** What this module uses of a Worker's global scope. */
interface ThreadScope {
  onmessage: ((event: MessageEvent<ToThread>) => void) | null;
  postMessage(message: FromThread): void;
}

const scope = self as unknown as ThreadScope;

/** Of a search alone: far above what its matrices take. */
const kernels = createKernels(2 ** 31);

let expander: ReturnType<typeof expanderFor> | null = null;

async function answer({ number, nodes, levels, next }: Round): Promise<FromThread> {
  try {
    const done: Done[] = [];
    await takeNodes(next, nodes.length, async (index) => {
      const [expansion] = await expander!.expand([nodes[index]], levels);
      done.push([index, expansion]);
    });
    return { kind: "done", number, done };
  } catch (error) {
    return { kind: "failed", number, failure: failureOf(error) };
  }
}

scope.onmessage = async ({ data }) => {
  if (data.kind === "round") scope.postMessage(await answer(data));
  else {
    expander?.close();
    expander = data.kind === "problem" ? expanderFor(data.problem, (numbers) => kernels.vectors(numbers)) : null;
  }
};
