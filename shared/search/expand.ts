import { type Box, midpoint } from "../numeric/box.ts";
import { type Bounding, boundPart, copyOf, entriesOf, type Part } from "./bound_piece.ts";
import { splitsInputs, splitsOf } from "./choose_split.ts";
import { climb, climbsFrom } from "./climb.ts";
import { climbSmoothed, climbsSmoothed } from "./climb_smoothed.ts";
import { boundAim, decide, isThinAround, leafForms, type Original, pointInside } from "./leaf.ts";
import { boundLeaf } from "./leaf_value.ts";
import type { Objective } from "./objective.ts";
import { type Base, boxOf, type Piece, type Split } from "./piece.ts";
import { narrowed, objectiveAt, type Places, widened } from "./places.ts";
import type { Region } from "./region.ts";
import type { Candidate, Expander, Expansion, RecordedPart } from "./tree.ts";
import { keepDecision, keepExact, keepThin, newTrace, recordOf, type Trace, traceOf } from "./trace.ts";
import { valueAt } from "./value_at.ts";
import type { Workspace } from "./workspace.ts";

/** Everything a region's pieces are bounded with; the same on every thread. */
export interface Problem {
  readonly region: Region;
  readonly original: Original;
  /** One a tree. */
  readonly objectives: readonly Objective[];
  readonly scales: readonly number[];
  readonly workspace: Workspace;
  readonly places: Places;
  /** Units from which on a piece may get a network of its own. */
  readonly fewest: number;
  /** Splits after which both kinds are compared again; Infinity: units alone are split. */
  readonly every: number;
  /** Linear programs of leaves so far: counted, never read by a search. */
  readonly programs: { count: number };
  /** Whether every bounded piece leaves a record. */
  readonly isRecorded?: boolean;
}

/** A bounded part: what is left of it. */
export interface Outcome {
  /** Still to be split; null where it is finished. */
  readonly piece: Piece | null;
  /** Its bound where it is finished; -Infinity where it is empty. */
  readonly closed: number;
  readonly point: Candidate | null;
}

const NOTHING: Outcome = { piece: null, closed: -Infinity, point: null };

export function expanderOf(problem: Problem): Expander<Piece> {
  return {
    expand: (nodes, levels) => Promise.resolve(nodes.map((node) => expandPiece(problem, node, levels[node.tree]))),
    most: problem.every < Infinity && splitsInputs(problem.region) ? 4 : 2,
  };
}

export function expandPiece(problem: Problem, whole: Piece, level: number): Expansion<Piece> {
  const node = narrowed(whole, problem.fewest), bounding = boundingOf(problem, node.tree, node.base);
  if (node.split === null) return settleWhole(problem, bounding, node, level);
  const entries = bounding.objective.aim.kind === "norm" ? entriesOf(bounding, node) : null;
  const split = (chosen: Split, prefers: Split["kind"]) =>
    expandParts(problem, bounding, node, partsOf(bounding.region, { ...node, prefers }, chosen), entries, level);
  if (node.rival === null) return split(node.split, node.prefers);
  const byUnit = split(node.split, "unit"), byInput = split(node.rival, "input");
  const isBetter = leftOf(byInput, node, bounding.scale, level) < MARGIN * leftOf(byUnit, node, bounding.scale, level);
  return {
    ...(isBetter ? byInput : byUnit),
    bounded: byUnit.bounded + byInput.bounded,
    points: [...byUnit.points, ...byInput.points],
  };
}

function expandParts(
  problem: Problem,
  bounding: Bounding,
  node: Piece,
  parts: readonly Part[],
  entries: Box | null,
  level: number,
): Expansion<Piece> {
  const children: Piece[] = [], points: Candidate[] = [], records: RecordedPart[] = [];
  let closed = -Infinity;
  for (const [side, part] of parts.entries()) {
    const trace = problem.isRecorded ? newTrace() : null;
    const outcome = settle(problem, bounding, boundPart(bounding, part, entries, level, trace), level, trace);
    if (trace) {
      const recorded = recordOf(bounding.region, node, node.tree, side, trace, outcome.piece?.upper ?? outcome.closed);
      records.push({ ...recorded, child: outcome.piece ? children.length : null });
    }
    if (outcome.piece) children.push(outcome.piece);
    if (outcome.closed > closed) closed = outcome.closed;
    if (outcome.point) points.push(outcome.point);
  }
  const [{ tree, depth }] = parts, whole = boundingOf(problem, tree);
  if (climbsSmoothed(whole, depth - 1)) {
    const starts = points.map(({ point }) => point);
    // One corner is enough: what the halves attain is alike; the middle of the region is not.
    starts.splice(1, 1, ...(depth === 1 ? [midpoint(whole.region.box)] : []));
    for (const point of starts) {
      points.push(candidate(problem, tree, climbSmoothed(whole, whole.region.box, point)));
    }
  }
  return { children, closed, bounded: parts.length, points, ...(problem.isRecorded && { records }) };
}

/** A root on which nothing is open: bounded once more, as a leaf is. */
function settleWhole(problem: Problem, bounding: Bounding, node: Piece, level: number): Expansion<Piece> {
  const { region, objective: { aim } } = bounding;
  const trace = problem.isRecorded ? traceOf({ ...node, box: boxOf(region, node) }, aim.kind === "value") : null;
  const { closed, point } = settle(problem, bounding, node, level, trace);
  const records = trace && [{ ...recordOf(region, node, node.tree, 0, trace, closed), child: null }];
  return { children: [], closed, bounded: 0, points: point ? [point] : [], ...(records && { records }) };
}

/** What looks a little better at one split of inputs is often worse in the end: units stay decided, halves are halved again. */
const MARGIN = 0.5;

/** How far what is left lies above the level, summed up: what is dropped or empty counts for nothing. */
function leftOf({ children, closed }: Expansion<Piece>, { upper }: Piece, scale: number, level: number): number {
  // Where nothing is known yet: above the size of the objective below the bound.
  const floor = Math.max(level, upper - scale);
  return children.reduce((sum, child) => sum + (child.upper - floor), Math.max(0, closed - floor));
}

/** A tree's objective, over the region or over a base. */
export function boundingOf(problem: Problem, tree: number, base: Base | null = null): Bounding {
  const { region, objectives, scales, workspace, places } = problem, objective = objectives[tree], scale = scales[tree];
  if (base === null) return { region, objective, workspace, scale };
  const place = places.placeOf(base);
  return { region: place.region, objective: objectiveAt(place, tree, objective), workspace: place.workspace, scale };
}

/** What a split makes of a piece: the parts cover it. */
function partsOf(region: Region, piece: Piece, split: Split): Part[] {
  const { split: _, rival: __, ...rest } = piece, depth = piece.depth + 1;
  if (split.kind === "unit") {
    return [1, -1].map((phase) => {
      const phases = piece.phases.slice();
      phases[split.unit] = phase;
      return { ...rest, phases, depth };
    });
  }
  const { feature, at } = split;
  return [0, 1].map((side) => {
    const box = copyOf(boxOf(region, piece));
    (side === 0 ? box.upper : box.lower)[feature] = at;
    return { ...rest, box, depth };
  });
}

/** What becomes of a bounded part: dropped, closed, or open with its next split. */
export function settle(
  problem: Problem,
  bounding: Bounding,
  part: Part | null,
  level: number,
  trace: Trace | null = null,
): Outcome {
  if (part === null) return NOTHING;
  const { tree, upper } = part;
  if (upper <= level) return { piece: null, closed: upper, point: null };
  const piece = { ...part, box: boxOf(bounding.region, part) };
  const splits = splitsOf(bounding, piece, part.box !== null, problem.every);
  if (splits.split !== null) {
    const corner = bounding.workspace.corner.slice(), whole = boundingOf(problem, tree), { region } = whole;
    const point = climbsFrom(region, part.depth) ? climb(whole, region.box, corner) : corner;
    return { piece: { ...part, ...splits }, closed: -Infinity, point: candidate(problem, tree, point) };
  }
  const leaf = widened(part, boundingOf(problem, tree));
  return bounding.objective.aim.kind === "value"
    ? settleValue(problem, leaf, piece.box, trace)
    : settleGradient(problem, leaf, piece.box, level, trace);
}

/** Every unit has its phase: J is one matrix, and only whether the piece has an interior is open. */
function settleGradient(problem: Problem, part: Part, box: Box, level: number, trace: Trace | null): Outcome {
  const { original, programs } = problem, { tree, phases } = part;
  const { region, objective: { aim } } = boundingOf(problem, tree);
  const { upper, value } = boundAim(region, original, phases, aim, part.upper);
  if (trace && upper < part.upper) keepExact(trace, upper);
  if (upper <= level) return { piece: null, closed: upper, point: null };
  programs.count++;
  const piece = { ...part, box }, forms = leafForms(region, piece);
  const decision = decide(region, original, piece, forms);
  if (decision.kind === "empty" || (decision.kind === "thin" && region.isSolid)) {
    if (trace) keepDecision(trace, forms.units, decision);
    return NOTHING;
  }
  if (!region.isSolid && isThinAround(region, original, piece, forms)) {
    if (trace) keepThin(trace, forms.units);
    return NOTHING;
  }
  if (decision.kind !== "inside" && decision.kind !== "thin") return { piece: null, closed: upper, point: null };
  const isSure = decision.kind === "inside" && decision.isExact;
  const point = isSure ? decision.point : pointInside(region, original, piece, decision.point, forms) ?? decision.point;
  // Plain arithmetic at the point may take it for one of a neighbour.
  return { piece: null, closed: upper, point: { tree, point, score: value } };
}

/** Every unit has its phase: a linear program finds the largest value. */
function settleValue(problem: Problem, part: Part, box: Box, trace: Trace | null): Outcome {
  const found = boundLeaf(problem, boundingOf(problem, part.tree), part, box, trace);
  if (found === null) return NOTHING;
  const { upper, point } = found;
  return { piece: null, closed: upper, point: point && candidate(problem, part.tree, point) };
}

/** A point may lie anywhere in the region: it is judged there. */
function candidate(problem: Problem, tree: number, point: Float64Array): Candidate {
  const { region, objective, workspace } = boundingOf(problem, tree);
  return { tree, point, score: valueAt(region, objective, workspace, point) };
}
