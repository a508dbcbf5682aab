/** What a model that cannot be read must end in. */
import assert from "node:assert/strict";
import { LipcertError, type ProblemMembers, PROBLEMS, type ProblemType } from "../../../shared/errors.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";

/** Reads the model and every output's graph; returns the problem, which must be the caller's to mend, or null. */
export function problemOf(bytes: Uint8Array): LipcertError | null {
  try {
    const model = readModel(bytes);
    for (const { name } of model.description.outputs) {
      for (const node of model.graph(name).nodes) assert.ok(node.size >= 1);
    }
    return null;
  } catch (error) {
    assert.ok(error instanceof LipcertError, `not a LipcertError: ${error instanceof Error ? error.stack : error}`);
    const { status } = PROBLEMS[error.type];
    assert.ok(status >= 400 && status < 500, `${error.type}: ${error.message}`);
    return error;
  }
}

/** Asserts that the model is refused with this type, a message like this and (at least) these members. */
export function assertRefused(
  bytes: Uint8Array,
  type: ProblemType,
  message: RegExp,
  members: ProblemMembers = {},
): void {
  const problem = problemOf(bytes);
  assert.ok(problem !== null, `read without a problem; wanted ${type} ${message}`);
  assert.equal(problem.type, type, problem.message);
  assert.match(problem.message, message);
  for (const [name, value] of Object.entries(members)) assert.deepEqual(problem.members[name], value, name);
}
