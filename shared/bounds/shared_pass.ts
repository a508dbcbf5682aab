import type { NodeId } from "../graph.ts";
import { type Box, copyBox } from "../numeric/box.ts";
import type { Relaxation } from "../operators/operator.ts";
import { isOpen, type NodeState, type Pass } from "./pass.ts";

/**
 * The pass with all its groups as one: hulls of boxes, the largest magnitudes, and stable neurons as their derivatives (an
 * unstable one has no lines and stays). What holds over it holds for every group.
 */
export function sharedPass(pass: Pass): Pass {
  return {
    ...pass,
    groups: [pass.groups[0]],
    states: pass.states.map((state, id) => {
      // The boxes of an open node may still be tightened.
      const known = isOpen(pass, id) ? undefined : sharedStates.get(state);
      const shared = known ?? sharedState(pass, state, id);
      if (!isOpen(pass, id)) sharedStates.set(state, shared);
      return shared;
    }),
  };
}

const sharedStates = new WeakMap<NodeState, NodeState>();

function sharedState(pass: Pass, state: NodeState, id: NodeId): NodeState {
  const range = pass.groups[0].ranges?.get(id);
  return {
    ...state,
    boxes: [hullOf(state.boxes)],
    relaxations: range ? [stableLines(range.lower, range.upper)] : state.relaxations && [state.relaxations[0]],
    image: state.image && { boxes: state.image.boxes, q: [largestOf(state.image.q)] },
    demand: state.demand && { ...state.demand, groups: [state.demand.groups[0]] },
    closedStep: null,
    openStep: null,
    underflow: null,
    magnitudes: null,
  };
}

function hullOf([first, ...others]: readonly Box[]): Box {
  const { lower, upper } = copyBox(first);
  for (const box of others) {
    for (let i = 0; i < lower.length; i++) {
      if (!(box.lower[i] >= lower[i])) lower[i] = box.lower[i];
      if (!(box.upper[i] <= upper[i])) upper[i] = box.upper[i];
    }
  }
  return { lower, upper };
}

function largestOf(rows: readonly Float64Array[]): Float64Array {
  const largest = rows[0].slice();
  for (const row of rows) for (let i = 0; i < row.length; i++) if (!(row[i] <= largest[i])) largest[i] = row[i];
  return largest;
}

function stableLines(lower: Float64Array, upper: Float64Array): Relaxation {
  const slope = new Float64Array(lower.length);
  for (let i = 0; i < slope.length; i++) slope[i] = lower[i] < upper[i] ? 0 : lower[i];
  const none = new Float64Array(lower.length);
  return { lowerSlope: slope, lowerIntercept: none, upperSlope: slope, upperIntercept: none };
}
