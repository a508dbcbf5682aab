/** A search whose truth is known: the largest entry of tables, by halving, with loose but true bounds. */
import fc from "fast-check";
import type { Goal } from "../../../shared/search/goal.ts";
import type { Task } from "../../../shared/search/loop.ts";
import type { Candidate, Expander, Expansion, Root, TreeNode } from "../../../shared/search/tree.ts";

/** Entries from `from` to before `to` of a table. */
export interface Span extends TreeNode {
  readonly from: number;
  readonly to: number;
}

export interface Toy {
  /** A table a tree; entries are small integers. */
  readonly tables: readonly (readonly number[])[];
  /** How loose a bound is for each entry more than one. */
  readonly slack: number;
  /** Bounds of spans of one length are equally loose: then many are equal. */
  readonly isEven: boolean;
}

export const toys = (trees = 4): fc.Arbitrary<Toy> =>
  fc.record({ most: fc.constantFrom(0, 2, 80), longest: fc.constantFrom(4, 40, 160) }).chain(({ most, longest }) =>
    fc.record({
      tables: fc.array(
        fc.array(fc.integer({ min: -20, max: most - 20 }), { minLength: 1, maxLength: longest, size: "max" }),
        { minLength: 1, maxLength: trees },
      ),
      slack: fc.constantFrom(0, 0.25, 2, 1000),
      isEven: fc.boolean(),
    })
  );

export const truthOf = ({ tables }: Toy): number[] => tables.map((table) => Math.max(...table));

/** The largest entry of a span, and a slack that shrinks unevenly: a child may be as loose as its parent. */
function boundOf({ tables, slack, isEven }: Toy, tree: number, from: number, to: number): number {
  return Math.max(...tables[tree].slice(from, to)) + slack * (to - from - 1) * (isEven ? 1 : 1 + (from % 3));
}

export function rootsOf(toy: Toy): Root<Span>[] {
  return toy.tables.map((table, tree) => {
    const upper = boundOf(toy, tree, 0, table.length) + 1;
    const proved = { lower: -Infinity, point: null };
    return { upper, proved, node: table.length === 1 ? null : { tree, upper, from: 0, to: table.length } };
  });
}

export function expandSpan(toy: Toy, { tree, from, to, upper }: Span): Expansion<Span> {
  const middle = (from + to) >> 1;
  const halves = [[from, middle], [middle, to]].map(([from, to]) => ({
    tree,
    from,
    to,
    upper: Math.min(upper, boundOf(toy, tree, from, to)),
  }));
  const children = halves.filter(({ from, to }) => to - from > 1);
  const closed = halves.filter(({ from, to }) => to - from === 1).map(({ upper }) => upper);
  const points = halves.map(({ from, to }): Candidate => {
    const at = (from + to) >> 1;
    // Plain arithmetic may promise more than is proved.
    return { tree, point: Float64Array.of(at), score: toy.tables[tree][at] + (at % 2) };
  });
  return { children, closed: Math.max(-Infinity, ...closed), bounded: 1 + (from % 3), points };
}

export interface Watched {
  readonly expander: Expander<Span>;
  /** The spans that were expanded, in order. */
  readonly steps: string[];
}

export function watched(toy: Toy, expand: typeof expandSpan = expandSpan): Watched {
  const steps: string[] = [];
  return {
    steps,
    expander: {
      most: 3,
      expand(nodes) {
        for (const { tree, from, to } of nodes) steps.push(`${tree}:${from}-${to}`);
        return Promise.resolve(nodes.map((node) => expand(toy, node)));
      },
    },
  };
}

export function taskOf(
  toy: Toy,
  { goal = { kind: "largest" }, max_nodes = 1e6, gap = 0, expander = watched(toy).expander }: {
    readonly goal?: Goal;
    readonly max_nodes?: number;
    readonly gap?: number;
    readonly expander?: Expander<Span>;
  } = {},
): Task<Span> {
  return {
    goal,
    limits: { max_nodes, gap },
    expander,
    prove: (points) => Promise.resolve(points.map(({ tree, point: [at] }) => toy.tables[tree][at])),
    bytesOf: ({ from, to }) => 100 + (to - from),
  };
}

/** Goals over so many trees. */
export const goals = (trees: number): fc.Arbitrary<Goal> =>
  fc.oneof(
    fc.constant<Goal>({ kind: "largest" }),
    fc.record({ kind: fc.constant("largest" as const), at_most: fc.integer({ min: -30, max: 70 }) }),
    fc.constant<Goal>({ kind: "each" }),
    fc.record({
      kind: fc.constant("all_at_most" as const),
      thresholds: fc.array(fc.integer({ min: -30, max: 70 }), { minLength: trees, maxLength: trees }),
      refuted_ends: fc.constantFrom("search" as const, "tree" as const),
    }),
  );

/** A toy, a goal over its trees, and a gap. */
export const tasks = (): fc.Arbitrary<{ readonly toy: Toy; readonly goal: Goal; readonly gap: number }> =>
  toys().chain((toy) =>
    fc.record({ toy: fc.constant(toy), goal: goals(toy.tables.length), gap: fc.constantFrom(0, 0, 0.1, 0.5) })
  );
