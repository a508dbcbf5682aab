import { LipcertError, type ProblemMembers, type ProblemType } from "../errors.ts";

/** Where in the file something is wrong: a node of the ONNX graph. */
export interface Place {
  /** The node's name, or its index where it has none. */
  readonly node: string | number;
  readonly operator: string;
}

/** "node "fc1" (Gemm)" or "node 3 (Gemm)". */
function describe(place: Place): string {
  return `node ${typeof place.node === "string" ? JSON.stringify(place.node) : place.node} (${place.operator})`;
}

/** A model whose bytes or structure make no sense; `members` may hold the byte offset. */
export function unreadable(text: string, members: ProblemMembers = {}, cause?: unknown): LipcertError {
  return new LipcertError("unreadable-model", `Cannot read model: ${text}`, members, cause);
}

/** Something wrong at a node: the problem names the node and its operator. */
export function problemAt(
  place: Place,
  text: string,
  type: ProblemType = "unsupported-attribute",
  members: ProblemMembers = {},
): LipcertError {
  return new LipcertError(type, `Cannot read model: ${text} at ${describe(place)}`, {
    node: place.node,
    operator: place.operator,
    ...members,
  });
}

/** Shapes that do not fit at a node. */
export function shapeProblem(place: Place, text: string, wanted: unknown, got: unknown): LipcertError {
  return problemAt(place, text, "shape-mismatch", { wanted, got });
}
