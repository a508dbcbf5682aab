import type { NodeId } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { magnitudes } from "../numeric/box.ts";
import { groupTable, type LinearOperator, type Relaxation, type Step, sumOver } from "../operators/operator.ts";
import { bends } from "./columns.ts";
import { isOpen, linearContext, type NodeState, type Pass, rulesOf } from "./pass.ts";

/** The walk's step at a node over its component's columns: built when first needed, kept for the pass. */
export function stepAt(pass: Pass, id: NodeId): Step {
  const state = pass.states[id];
  const open = isOpen(pass, id);
  const known = open ? state.openStep : state.closedStep;
  if (known) return known;
  const step = buildStep(pass, id, open ? null : state.columns);
  if (open) state.openStep = step;
  else state.closedStep = step;
  return step;
}

function buildStep(pass: Pass, id: NodeId, columns: Int32Array | null): Step {
  const node = pass.graph.nodes[id];
  const state = pass.states[id];
  if (state.relaxations) return elementwiseStep(pass, id, state, columns);
  const rules = rulesOf(node) as LinearOperator;
  return rules.prepare(node, state.image!, columns, linearContext(pass, node, state.demand));
}

function elementwiseStep(pass: Pass, id: NodeId, state: NodeState, columns: Int32Array | null): Step {
  const { kernels } = pass.run;
  const node = pass.graph.nodes[id];
  const padded = paddedLength(columns?.length ?? node.size);
  const input = pass.graph.nodes[node.inputs[0]];
  const inputBoxes = pass.states[node.inputs[0]].boxes;
  // fl(a slope) is charged against |z| by the linear node below; where another activation is below, here.
  const chargeHere = pass.states[node.inputs[0]].relaxations !== null && input.operator !== "input";
  return {
    table: kernels.upload(groupTable(state.relaxations!.flatMap(tables), columns, padded)),
    absorb: chargeHere
      ? { bias: null, q: kernels.upload(groupTable(inputBoxes.map(magnitudes), columns, padded)) }
      : null,
    scale: null,
    product: null,
    coefficientRoundings: 1,
    underflow: Float64Array.from(inputBoxes, (box, g) => {
      const lines = state.relaxations![g];
      return sumOver(box, (i) => bends(lines, i)) + 2 * node.size;
    }),
  };
}

function tables(relaxation: Relaxation): Float64Array[] {
  return [relaxation.lowerSlope, relaxation.lowerIntercept, relaxation.upperSlope, relaxation.upperIntercept];
}
