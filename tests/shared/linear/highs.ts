import * as module from "highs";
import type { HalfSpaces } from "../../../shared/linear/half_spaces.ts";
import { scalesOf } from "../../../shared/linear/half_spaces.ts";
import type { Box } from "../../../shared/numeric/box.ts";

// The types are those of a CommonJS module; the module that runs has the loader as its default.
const highs = await (module.default as unknown as typeof module.default.default)();

export interface Answer {
  readonly status: string;
  readonly value: number;
}

const digits = (value: number): string => `${value < 0 ? "-" : "+"} ${Math.abs(value).toExponential(17)}`;

/** max t with a_i . x + b_i >= t scale_i, for the half-spaces with a scale. */
export function highsRoom(halfSpaces: HalfSpaces, box: Box): Answer {
  const scales = scalesOf(halfSpaces, box);
  const lines = linesOf(halfSpaces, box, (i) => (scales[i] > 0 ? ` ${digits(-scales[i])} t` : null));
  return solve(` ${digits(1)} t`, lines, box, " t free");
}

/** max c . x over the polytope. */
export function highsOptimum(halfSpaces: HalfSpaces, box: Box, objective: Float64Array): Answer {
  return solve(termsOf(objective), linesOf(halfSpaces, box, () => ""), box, "");
}

function termsOf(row: ArrayLike<number>): string {
  return Array.from(row, (a, j) => (a === 0 ? "" : ` ${digits(a)} x${j}`)).join("") || " 0 x0";
}

function linesOf({ rows, constants }: HalfSpaces, { lower }: Box, more: (i: number) => string | null): string[] {
  const n = lower.length;
  return Array.from(constants, (b, i) => {
    const last = more(i);
    return last === null ? "" : ` r${i}:${termsOf(rows.subarray(i * n, (i + 1) * n))}${last} >= ${-b}`;
  }).filter((line) => line !== "");
}

function solve(objective: string, lines: string[], { lower, upper }: Box, free: string): Answer {
  const bounds = Array.from(lower, (l, j) => ` ${l} <= x${j} <= ${upper[j]}`).join("\n");
  const problem = `Maximize\n obj:${objective}\nSubject To\n${lines.join("\n")}\nBounds\n${bounds}\n${free}\nEnd\n`;
  const { Status, ObjectiveValue } = highs.solve(problem, {
    primal_feasibility_tolerance: 1e-10,
    dual_feasibility_tolerance: 1e-10,
  });
  return { status: Status, value: ObjectiveValue };
}
