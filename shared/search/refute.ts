import type { Run } from "../bounds/pass.ts";
import { condenseNetwork } from "../condensed/condense_network.ts";
import type { Graph } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { type Alternatives, boundBoxes, type BoxPiece, bytesOfBox } from "./box_piece.ts";
import { askedOf, boxExpander } from "./boxes.ts";
import type { Goal } from "./goal.ts";
import type { Interruptions } from "./limits.ts";
import { type Progress, search, type Searched } from "./loop.ts";
import { searchRegion } from "./search.ts";
import type { Candidate, Proved, TreeNode } from "./tree.ts";

/** Is there a point of a box at which all outputs of one of its alternatives are at least 0? */
export interface RefuteQuestion {
  readonly graph: Graph;
  readonly cases: readonly { readonly box: Box; readonly alternatives: Alternatives }[];
  /** Whether that is proved at a point of a case. */
  readonly holdsAt: (point: Float64Array, at: number) => Promise<boolean>;
  readonly maxNodes: number;
  /** Boxes of more inputs are not split (default {@link MOST_SPLIT_INPUTS}). */
  readonly mostSplitInputs?: number;
  readonly run: Run;
}

export interface RefuteContext extends Omit<Interruptions, "signal"> {
  readonly onProgress?: (progress: Progress) => void;
}

export interface RefuteAnswer {
  /** A point was found; then the search ended. */
  readonly isMet: boolean;
  /** Alternatives, over all cases, that are not refuted. */
  readonly open: number;
  readonly nodes: number;
  readonly stoppedBy: Searched<TreeNode>["stoppedBy"];
}

/** Of more inputs the halves of a box differ too little from it. */
export const MOST_SPLIT_INPUTS = 16;

/** The greatest number below 0: what is at most this is refuted. */
const LEVEL = -(2 ** -1074);

const NOTHING: Proved = { lower: -Infinity, point: null };

/**
 * Refutes every alternative of every case, or finds a point. On few inputs boxes are split, all cases in one search; on many the
 * network is condensed over each box and its neurons are split, a tree for each alternative.
 *
 * Throws: the signal's reason when aborted.
 */
export async function refute(question: RefuteQuestion, context: RefuteContext = {}): Promise<RefuteAnswer> {
  const { graph: { nodes: [input] }, mostSplitInputs = MOST_SPLIT_INPUTS } = question;
  return input.size <= mostSplitInputs ? await byBoxes(question, context) : await byUnits(question, context);
}

function goalOf(trees: number): Goal {
  return { kind: "all_at_most", thresholds: new Array<number>(trees).fill(LEVEL), refuted_ends: "search" };
}

async function byBoxes(question: RefuteQuestion, context: RefuteContext): Promise<RefuteAnswer> {
  const { graph, cases, holdsAt, maxNodes, run } = question, alternatives = cases.map((one) => one.alternatives);
  const roots = cases.map((one, tree) => ({ upper: Infinity, node: wholeBox(one, tree), proved: NOTHING }));
  const { trees, nodes, stoppedBy } = await search(roots, {
    goal: goalOf(cases.length),
    limits: { max_nodes: maxNodes, gap: 0 },
    expander: boxExpander(graph, alternatives, run),
    prove: (points) => proveAll(points, ({ point, tree }) => holdsAt(point, tree)),
    bytesOf: bytesOfBox,
  }, { signal: run.signal, ...context });
  const open = trees.reduce((sum, { upper }, tree) => sum + (upper > LEVEL ? alternatives[tree].length : 0), 0);
  return { isMet: trees.some(({ lower }) => lower > LEVEL), open, nodes, stoppedBy };
}

function wholeBox({ box, alternatives }: RefuteQuestion["cases"][number], tree: number): BoxPiece {
  const bounds = new Float64Array(alternatives.length).fill(Infinity);
  return { tree, upper: Infinity, box, bounds, inputs: null, depth: 0 };
}

/** What holds at a point is at least 0 there; nothing else is told apart. */
async function proveAll(points: readonly Candidate[], holds: (one: Candidate) => Promise<boolean>): Promise<number[]> {
  const lowers: number[] = [];
  for (const one of points) {
    const isFound = lowers.includes(0);
    lowers.push(!isFound && one.score >= 0 && await holds(one) ? 0 : -Infinity);
  }
  return lowers;
}

async function byUnits(question: RefuteQuestion, context: RefuteContext): Promise<RefuteAnswer> {
  const { graph, cases, holdsAt, maxNodes, run } = question;
  let open = 0, nodes = 0, stoppedBy: RefuteAnswer["stoppedBy"] = "closed";
  for (const [at, one] of cases.entries()) {
    const { box, alternatives } = one;
    const { asked, inputs, network } = await run.kernels.scope(async () => {
      const levels = new Float64Array(cases.length).fill(LEVEL);
      const alternativesOf = cases.map((other) => other.alternatives);
      const { pass, pieces: [{ bounds, inputs }] } = await boundBoxes(
        graph,
        [wholeBox(one, at)],
        alternativesOf,
        levels,
        run,
      );
      const outputs = graph.nodes[graph.nodes.length - 1].size;
      const asked = alternatives.map((among, a) => askedOf(among, outputs, bounds[a])).filter(({ upper }) =>
        upper > LEVEL
      );
      return { asked, inputs, network: asked.length > 0 ? condenseNetwork(pass) : null };
    });
    if (asked.length === 0) continue;
    const found = await searchRegion({
      original: { graph, inputs },
      box,
      network,
      asked,
      proved: asked.map(() => NOTHING),
      goal: goalOf(asked.length),
      limits: { max_nodes: maxNodes - nodes, gap: 0 },
      place: (point) => point,
      prove: (points) => proveAll(points, ({ point }) => holdsAt(point, at)),
      run,
    }, context);
    nodes += found.nodes;
    open += found.trees.filter(({ upper }) => upper > LEVEL).length;
    if (found.stoppedBy !== "closed") stoppedBy = found.stoppedBy;
    if (found.trees.some(({ lower }) => lower > LEVEL)) return { isMet: true, open, nodes, stoppedBy };
  }
  return { isMet: false, open, nodes, stoppedBy };
}
