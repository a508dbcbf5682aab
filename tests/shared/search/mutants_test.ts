/** Steps of the search that are wrong, and that the laws of `search_test.ts` notice. */
import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import { rulesOf } from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { normBounds } from "../../../shared/jacobian/jacobian_bounds.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { unitRow } from "../../../shared/properties/analysis.ts";
import { boundPieces } from "../../../shared/search/bound_pieces.ts";
import { type Piece, piecesOf } from "../../../shared/search/node.ts";
import { searchByPasses, type Steps } from "../../../shared/search/by_passes.ts";
import { softGates } from "../../../shared/witness/ascent.ts";
import module from "../../../wasm/dist/kernels.js";
import type { AskedNetwork } from "../../soundness/certificates.ts";
import { falseLipschitz } from "../../soundness/findings.ts";
import { samplesOf, smallNetwork } from "./networks.ts";

const SEED = 20_261_126;
const LINEAR = { refine: "linear", rule: "chord" } as const;
const RIGHT: Steps = { split: piecesOf, bound: boundPieces };

const MUTANTS: Readonly<Record<string, Steps>> = {
  "a dropped piece": { ...RIGHT, split: (node, sizeOf) => piecesOf(node, sizeOf).slice(1) },
  "a phase of the wrong sign": {
    ...RIGHT,
    split: (node, sizeOf) => {
      const pieces = piecesOf(node, sizeOf);
      return node.split?.kind === "neuron" ? pieces.map(() => pieces[0]) : pieces;
    },
  },
  "an upper half where the lower one is": {
    ...RIGHT,
    split: (node, sizeOf) => {
      const pieces = piecesOf(node, sizeOf);
      return node.split?.kind === "input" ? pieces.map(() => pieces[1]) : pieces;
    },
  },
  "an empty piece that is none": {
    ...RIGHT,
    bound: async (problem, pieces) => (await boundPieces(problem, pieces)).map((node, k) => k === 0 ? null : node),
  },
  "a piece that forgets the bound of what was split": {
    ...RIGHT,
    bound: (problem, pieces) => boundPieces(problem, pieces.map(forgetful)),
  },
};

function forgetful(piece: Piece): Piece {
  return { ...piece, upper: Infinity, inherited: new Map() };
}

/** Contradictions of exact values, and bounds that rise with more nodes. */
function wrong({ graph, lower, upper, name }: AskedNetwork, steps: Steps): Promise<string[]> {
  const box = { lower: Float64Array.from(lower), upper: Float64Array.from(upper) };
  const size = graph.nodes.at(-1)!.size;
  const seeds = Array.from({ length: size }, (_, k) => unitRow(size, k));
  return withRun([graph], { kernels: wasmKernels(module) }, async (run) => {
    const pass = await boundGraph(graph, [{ box }], LINEAR, run);
    const uppers = await normBounds(pass, seeds, LINEAR, run);
    const inputs = graph.nodes.filter((node) => rulesOf(node)?.kind === "elementwise").map(({ inputs: [id] }) => id);
    const inherited = new Map(inputs.map((id) => [id, pass.states[id].boxes[0]]));
    const gates = softGates(graph, (id) => pass.states[id].boxes[0]);
    const problem = { graph, box, seeds, forward: LINEAR, backward: LINEAR, gates, place: (x: Float64Array) => x, run };
    const root = { uppers, proved: seeds.map(() => ({ point: box.lower, lower: 0 })), inherited };
    const samples = samplesOf({ graph, lower, upper, name, recipe: "" }, SEED);
    const found: string[] = [];
    let before = uppers;
    for (const max_nodes of [2, 4, 8, 16, 40, 150]) {
      let after: number[];
      try {
        after = (await searchByPasses(problem, root, { max_nodes, gap: 0 }, {}, steps)).trees.map(({ upper }) => upper);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return [...found, error.message];
      }
      const outputs = after.map((one, output) => ({ output, upper: one, lower: null }));
      found.push(
        ...falseLipschitz(samples, { upper: Math.max(...after), lower: null, outputs, witness: null } as never),
      );
      if (after.some((one, k) => one > before[k])) found.push(`an upper bound rose with ${max_nodes} nodes`);
      before = after;
    }
    return found;
  });
}

async function noticed(steps: Steps): Promise<number> {
  let count = 0;
  for (let index = 0; index < 60; index++) if ((await wrong(smallNetwork(SEED, index), steps)).length > 0) count++;
  return count;
}

Deno.test(`search: the right steps contradict nothing (seed ${SEED})`, async () => {
  assert.equal(await noticed(RIGHT), 0);
});

for (const [what, steps] of Object.entries(MUTANTS)) {
  Deno.test(`search: exact values or growing counts of nodes notice ${what}`, async () => {
    assert.ok(await noticed(steps) > 0);
  });
}
