import type { NodeId } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { magnitudes } from "../numeric/box.ts";
import { groupTable, type LinearOperator, type Relaxation, type Step, sumOver } from "../operators/operator.ts";
import { bends } from "./columns.ts";
import { isOpen, keptAt, linearContext, type NodeState, type Pass, rulesOf } from "./pass.ts";

/** The walk's step at a node over the columns that the pass keeps, if it was built. */
export function knownStep(pass: Pass, id: NodeId): Step | null {
  const { openStep, closedStep } = pass.states[id];
  return isOpen(pass, id) ? openStep : closedStep;
}

/** That step: built when first needed, in the kernels' current scope, and kept for the pass. */
export function stepAt(pass: Pass, id: NodeId): Step {
  const state = pass.states[id];
  const open = isOpen(pass, id);
  const known = knownStep(pass, id);
  if (known) return known;
  const [input] = pass.graph.nodes[id].inputs;
  const step = stepOver(pass, id, keptAt(pass, id), keptAt(pass, input));
  if (open) state.openStep = step;
  else state.closedStep = step;
  return step;
}

/** The walk's step at a node from some of its columns to some of its input's (null: all). */
export function stepOver(pass: Pass, id: NodeId, columns: Int32Array | null, inputColumns: Int32Array | null): Step {
  const node = pass.graph.nodes[id];
  const state = pass.states[id];
  const underflow = underflowAt(pass, id);
  if (state.relaxations) return { ...elementwiseStep(pass, id, state, columns), underflow };
  const rules = rulesOf(node) as LinearOperator;
  const context = linearContext(pass, node, state.demand, inputColumns);
  return { ...rules.prepare(node, state.image!, columns, context), underflow };
}

function elementwiseStep(
  pass: Pass,
  id: NodeId,
  state: NodeState,
  columns: Int32Array | null,
): Omit<Step, "underflow"> {
  const { kernels } = pass.run;
  const node = pass.graph.nodes[id];
  const [input] = node.inputs;
  const padded = paddedLength(columns?.length ?? node.size);
  // fl(a slope) is charged against |z| by the linear node below; where another activation is below, here.
  // Where coefficients from elsewhere are added they may cancel it: here, too (shared/README.md (19)).
  const isElementwise = pass.states[input].relaxations !== null && pass.graph.nodes[input].operator !== "input";
  const chargeHere = isElementwise || pass.graph.nodes.filter(({ inputs }) => inputs.includes(input)).length > 1;
  return {
    window: null,
    table: kernels.upload(groupTable(state.relaxations!.flatMap(tables), columns, padded)),
    absorb: chargeHere
      ? { bias: null, q: kernels.upload(groupTable(magnitudesAt(pass, input), columns, padded)) }
      : null,
    scale: null,
    product: null,
    coefficientRoundings: 1,
  };
}

function tables(relaxation: Relaxation): Float64Array[] {
  return [relaxation.lowerSlope, relaxation.lowerIntercept, relaxation.upperSlope, relaxation.upperIntercept];
}

/** |value| of a node, one row a group. */
export function magnitudesAt(pass: Pass, id: NodeId): Float64Array[] {
  const state = pass.states[id];
  // The boxes of an open node may still be tightened.
  if (isOpen(pass, id)) return state.boxes.map(magnitudes);
  return state.magnitudes ??= state.boxes.map(magnitudes);
}

/** Half-steps of underflow of the node's step, one number a group: over all indices, so that no bits depend on the columns. */
function underflowAt(pass: Pass, id: NodeId): Float64Array {
  const state = pass.states[id];
  return state.underflow ??= countUnderflow(pass, id, state);
}

function countUnderflow(pass: Pass, id: NodeId, { relaxations, demand }: NodeState): Float64Array {
  const node = pass.graph.nodes[id];
  if (!relaxations) {
    return (rulesOf(node) as LinearOperator).underflow(node, linearContext(pass, node, demand));
  }
  return Float64Array.from(pass.states[node.inputs[0]].boxes, (box, g) => {
    return sumOver(box, (i) => bends(relaxations[g], i)) + 2 * node.size;
  });
}
