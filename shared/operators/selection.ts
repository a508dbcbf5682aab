import type { SelectionNode } from "../graph.ts";
import type { LinearOperator } from "./operator.ts";
import { selectionAdjoint, selectionPlain } from "./selection_plain.ts";

/** y_i = x_{map_i}, or 0: values are moved, none is computed. Its adjoint shares the map. */
export const selection: LinearOperator<SelectionNode> = {
  kind: "linear",
  mixes: true,
  offset: () => 0,
  plain: selectionPlain,
  rowMatrix: () => {
    throw new RangeError("not yet");
  },
  image: () => {
    throw new RangeError("not yet");
  },
  prepare: () => {
    throw new RangeError("not yet");
  },
  adjoint: selectionAdjoint,
};
