/** What a whole search claims of a region against all its activation regions, and what a cut takes off a box. */
import type { Box } from "../../../shared/numeric/box.ts";
import type { SavedTree } from "../../../shared/search/saved.ts";
import { search, type Searched, type Task } from "../../../shared/search/loop.ts";
import type { Piece } from "../../../shared/search/piece.ts";
import type { Problem } from "../../../shared/search/expand.ts";
import type { Root } from "../../../shared/search/tree.ts";
import { workspaceOf } from "../../../shared/search/workspace.ts";
import { absolute, add, compare, divide, exact, isAtMost, subtract, toNumber } from "../../exact/dyadic.ts";
import type { Random } from "../../exact/random.ts";
import { RIGHT, type Steps } from "./piece_claims.ts";
import { type Drawn, mostOf } from "./pieces.ts";

/** The trees of a region's aims, and their task: nothing is proved, so that every leaf is reached. */
export function taskOf(
  { original, region, objectives }: Drawn,
  max_nodes: number,
  { problemOf, rootOf, expanderOf }: Steps = RIGHT,
): { readonly problem: Problem; readonly roots: readonly Root<Piece>[]; readonly task: Task<Piece> } {
  const asked = objectives.map(({ aim }) => ({ aim, upper: Infinity, lower: -Infinity, entries: null }));
  // Small pieces get networks of their own, too, and inputs are split often.
  const problem = { ...problemOf(region, original, asked), fewest: 2, every: 2 };
  const roots = objectives.map((_, tree): Root<Piece> => {
    const node = rootOf(problem, tree, Infinity, -Infinity);
    return { upper: node.upper, node: node.split === null ? null : node, proved: { lower: -Infinity, point: null } };
  });
  const task: Task<Piece> = {
    goal: { kind: "each" },
    limits: { max_nodes, gap: 0 },
    expander: expanderOf(problem),
    prove: (points) => Promise.resolve(points.map(() => -Infinity)),
  };
  return { problem, roots, task };
}

/** A search of few and of all nodes: no bound is below the truth; `exact` counts aims that end at it. */
export async function falseSearch(
  drawn: Drawn,
  steps: Steps = RIGHT,
  counts: readonly number[] = [8, 4000],
): Promise<{ readonly found: string[]; readonly isExact: readonly boolean[] }> {
  const found: string[] = [], truths = drawn.objectives.map((_, at) => mostOf(drawn, at));
  let isExact: boolean[] = [];
  for (const max_nodes of counts) {
    let searched: Searched<Piece>;
    try {
      const { problem, roots, task } = taskOf(drawn, max_nodes, steps);
      problem.objectives.forEach(({ entryCharges }) =>
        drawn.truths.forEach(({ J }) =>
          J.forEach((one, j) => {
            if (!isAtMost(absolute(one), entryCharges[j])) {
              found.push(`${drawn.name}: entry ${j} is charged too little`);
            }
          })
        )
      );
      searched = await search(roots, task);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { found: [...found, `${drawn.name}: ${error.message}`], isExact };
    }
    isExact = searched.trees.map(({ upper }, at) => {
      if (!isAtMost(truths[at], upper)) {
        const { kind } = drawn.objectives[at].aim;
        found.push(`${drawn.name}, ${kind}: ${upper} after ${searched.nodes} nodes is below ${toNumber(truths[at])}`);
      }
      return upper - toNumber(truths[at]) <= 1e-7 * (1 + Math.abs(upper));
    });
  }
  return { found, isExact };
}

/** Cuts of random boxes: every point of a box with w . x + c >= 0 is left, given the exact maximum of w . x + c. */
export function falseCuts({ region }: Drawn, random: Random, { cut }: Steps = RIGHT): string[] {
  const workspace = workspaceOf(region), wrong: string[] = [];
  for (let k = 0; k < 40; k++) {
    const before: Box = {
      lower: region.box.lower.map((l) => l - random.unit() / 3),
      upper: region.box.upper.map((u) => u + random.unit() / 3),
    };
    workspace.overInput.forEach((_, j) => workspace.overInput[j] = random.chance(0.2) ? 0 : random.normal());
    const most = random.unit() / 10, after = { lower: before.lower.slice(), upper: before.upper.slice() };
    if (!cut(after, workspace, most)) return ["nothing is left"];
    workspace.overInput.forEach((w, j) => {
      const reach = w === 0 ? null : divide(exact(most), absolute(exact(w)));
      const [low, high] = [exact(before.lower[j]), exact(before.upper[j])];
      const least = reach && w > 0 ? subtract(high, reach) : low, largest = reach && w < 0 ? add(low, reach) : high;
      const lost = compare(exact(after.lower[j]), compare(least, low) > 0 ? least : low) > 0 ||
        compare(exact(after.upper[j]), compare(largest, high) < 0 ? largest : high) < 0;
      if (lost) {
        wrong.push(`a cut of [${before.lower[j]}, ${before.upper[j]}] by ${most} along ${w} takes off too much`);
      }
    });
  }
  return wrong;
}

/** A saved search as bytes. */
export function bytesOf(saved: SavedTree<Piece>): string {
  return JSON.stringify(
    saved,
    (_, value) =>
      ArrayBuffer.isView(value)
        ? Array.from(value as unknown as ArrayLike<number>, (x) => Object.is(x, -0) ? "-0" : `${x}`)
        : value,
  );
}
