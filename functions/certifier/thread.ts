/** One thread of a search: expands the nodes that it takes of every round. */
import { type Distributed, expanderFor } from "../../shared/mod.ts";
import { createKernels } from "../kernels.ts";
import { budgetFrom } from "../settings.ts";
import { failureOf } from "./messages.ts";
import { type Done, type FromThread, type Round, takeNodes, type ToThread } from "./thread_messages.ts";

/** What this module uses of a Worker's global scope. */
interface ThreadScope {
  onmessage: ((event: MessageEvent<ToThread>) => void) | null;
  postMessage(message: FromThread): void;
}

const scope = self as unknown as ThreadScope;

const kernels = createKernels(budgetFrom((name) => Deno.env.get(name)).bytes);

let expander: Distributed | null = null;

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
  if (data.kind === "round") {
    const message = await answer(data);
    if (message.kind === "failed" || message.done.length > 0) scope.postMessage(message);
    Atomics.store(data.busy, 0, 0);
    return;
  }
  expander?.close();
  expander = data.kind === "problem" ? expanderFor(data.problem, kernels) : null;
};
