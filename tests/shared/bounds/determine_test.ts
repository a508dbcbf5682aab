/** One side first: the same verdicts and, where a value stays undetermined, the same bounds as with both sides. */
import assert from "node:assert/strict";
import { boundGraph, refine } from "../../../shared/bounds/bound_graph.ts";
import {
  type BoundOptions,
  elementwiseContext,
  isMixing,
  type Pass,
  rulesOf,
  type Run,
} from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import type { NodeId } from "../../../shared/graph.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { copyBox } from "../../../shared/numeric/box.ts";
import type { ElementwiseOperator } from "../../../shared/operators/operator.ts";
import module from "../../../wasm/dist/kernels.js";
import { randomConvolutional } from "../../exact/random_convolutional.ts";
import { randomNetwork } from "../../exact/random_networks.ts";

const SEED = 5113;
const PLAIN: BoundOptions = { refine: "linear", rule: "chord" };
const kernels = wasmKernels(module);

interface Tally {
  undetermined: number;
  /** Determined by rows, with the other side left as it was. */
  spared: number;
  readonly bends: Map<string, number>;
}

/** Does a walk say more than intervals at this bend's input? */
function isWalked({ graph, states }: Pass, target: NodeId): boolean {
  let matrices = 0;
  for (let id = target; id !== 0; id = graph.nodes[id].inputs[0]) {
    if (states[id].relaxations || graph.nodes[id].inputs.length > 1) return true;
    if (isMixing(graph.nodes[id])) matrices++;
  }
  return matrices > 1;
}

async function compareBend(pass: Pass, bend: NodeId, name: string, run: Run, tally: Tally): Promise<void> {
  const node = pass.graph.nodes[bend], rules = rulesOf(node) as ElementwiseOperator;
  const [target] = node.inputs, context = elementwiseContext(pass, bend, 0);
  const readers = pass.graph.nodes.filter(({ inputs, operator }) => inputs.includes(target) && operator !== "add");
  if (readers.length > 1 || target === 0 || !isWalked(pass, target)) return;
  // Everything below as it is in the whole pass; the target itself as intervals leave it.
  const prefix = { nodes: pass.graph.nodes.slice(0, target + 1) };
  const before = await boundGraph(prefix, pass.groups, PLAIN, run);
  const [interval] = before.states[target].boxes.map(copyBox);
  const open = Array.from(interval.lower.keys()).filter((i) => rules.undetermined(interval, context, i));
  await refine(before, target, [open]);
  const both = before.states[target].boxes[0], own = pass.states[target].boxes[0];
  for (let i = 0; i < node.size; i++) {
    const what = `${name}, ${node.operator} ${bend}, value ${i}: [${own.lower[i]}, ${own.upper[i]}]`;
    const isOpen = rules.undetermined(both, context, i);
    assert.equal(rules.undetermined(own, context, i), isOpen, `${what}: another verdict than both sides`);
    assert.ok(own.lower[i] >= interval.lower[i] && own.upper[i] <= interval.upper[i], `${what}: looser than intervals`);
    const isSame = Object.is(own.lower[i], both.lower[i]) && Object.is(own.upper[i], both.upper[i]);
    if (isOpen) {
      assert.ok(isSame, `${what}: [${both.lower[i]}, ${both.upper[i]}] by both sides`);
      tally.undetermined++;
      tally.bends.set(node.operator, (tally.bends.get(node.operator) ?? 0) + 1);
    } else if (!isSame) tally.spared++;
  }
}

Deno.test(`one-sided first rows leave the verdicts and the bounds of both sides (seed ${SEED})`, async () => {
  const tally: Tally = { undetermined: 0, spared: 0, bends: new Map() };
  const networks = [
    ...Array.from({ length: 154 }, (_, index) => randomConvolutional(SEED, index)),
    ...Array.from({ length: 81 }, (_, index) => randomNetwork(SEED, index, 32)),
  ];
  for (const { graph, lower, upper, name } of networks) {
    await withRun([graph], { kernels }, async (run) => {
      const pass = await boundGraph(graph, [{ box: { lower, upper } }], PLAIN, run);
      for (const [id, node] of graph.nodes.entries()) {
        if (rulesOf(node)?.kind === "elementwise") await compareBend(pass, id, name, run, tally);
      }
    });
  }
  assert.ok(tally.undetermined > 500 && tally.spared > 100, JSON.stringify(tally));
  for (const bend of ["relu", "leaky_relu", "clip", "abs"]) {
    assert.ok((tally.bends.get(bend) ?? 0) > 5, `only ${tally.bends.get(bend)} values of ${bend} stayed undetermined`);
  }
});
