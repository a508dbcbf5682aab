import { LipcertError, type ProblemMembers, type ProblemType } from "../errors.ts";

/** Where in the file something is wrong: a node of the ONNX graph. */
export interface Place {
  /** The node's name, or its index where it has none. */
  readonly node: string | number;
  readonly operator: string;
}

/** Names and lists of a file can be megabytes long; a problem shows their beginning. */
const LONGEST_TEXT = 400;
const LONGEST_NAME = 120;
const LONGEST_LIST = 16;

/** The beginning of a name. */
export function short(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}…`;
}

/** The beginning of a list. */
function shortList(value: unknown): unknown {
  return Array.isArray(value) && value.length > LONGEST_LIST ? [...value.slice(0, LONGEST_LIST), "…"] : value;
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}

/** "node "fc1" (Gemm)" or "node 3 (Gemm)". */
function describe(place: Place): string {
  return `node ${typeof place.node === "string" ? JSON.stringify(place.node) : place.node} (${place.operator})`;
}

/** A model whose bytes or structure make no sense; `members` may hold the byte offset. */
export function unreadable(text: string, members: ProblemMembers = {}, cause?: unknown): LipcertError {
  return new LipcertError("unreadable-model", `Cannot read model: ${cut(text)}`, members, cause);
}

/** Something wrong at a node: the problem names the node and its operator. */
export function problemAt(
  place: Place,
  text: string,
  type: ProblemType = "unsupported-attribute",
  members: ProblemMembers = {},
): LipcertError {
  return new LipcertError(type, `Cannot read model: ${cut(text)} at ${describe(place)}`, {
    node: place.node,
    operator: place.operator,
    ...members,
  });
}

/** Shapes that do not fit at a node. */
export function shapeProblem(place: Place, text: string, wanted: unknown, got: unknown): LipcertError {
  return problemAt(place, text, "shape-mismatch", { wanted: shortList(wanted), got: shortList(got) });
}
