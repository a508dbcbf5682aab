import { finiteOrNull, type Outcome } from "../certificate/finding.ts";
import { midpoint } from "../numeric/box.ts";
import type { Property } from "../query.ts";
import type { Goal } from "../search/goal.ts";
import type { Asked } from "../search/roots.ts";
import { ascend, type Objective } from "../witness/ascent.ts";
import { gradientPlain } from "../witness/plain_network.ts";
import { outputsAt } from "../witness/prove.ts";
import { type Analysis, outputSize, representable } from "./analysis.ts";
import { rowBounds } from "./bounds.ts";
import { negated, NOTHING_PROVED, searchAims, type SearchStart, type Told } from "./searched.ts";

type Question = Extract<Property, { type: "robustness" }>;

/** Evaluations of the network an attack on one margin may take. */
const ATTACK_EVALUATIONS = 24;

/** Whether the label can change in the box: lower bounds of its margins, and a proved counterexample where one is found. */
export async function robustness({ label }: Question, analysis: Analysis): Promise<Outcome> {
  const size = outputSize(analysis.graph);
  const others = Array.from({ length: size }, (_, k) => k).filter((k) => k !== label);
  const rows = others.map((k) => marginRow(size, label, k));
  const { box, start } = await rowBounds(analysis, { rows: rows.map((row) => Array.from(row)) });
  const openOf = (lower: ArrayLike<number>) =>
    others.map((_, m) => m).filter((m) => !(lower[m] > 0)).sort((a, b) => lower[a] - lower[b] || a - b);
  const attacked = await attack(analysis, rows, openOf(box.lower));
  const found = start && await searchMargins(analysis, start, rows, box.lower, attacked !== null);
  const lower = found ? found.lower : Array.from(box.lower), open = openOf(lower);
  const counterexample = attacked ?? found?.counterexample ?? null;
  const finite = lower.every((bound) => Number.isFinite(bound));
  return {
    verdict: open.length === 0 ? "certified" : counterexample ? "refuted" : "unknown",
    reason: open.length === 0 || counterexample ? null : finite ? "bounds-too-loose" : "overflow",
    finding: {
      type: "robustness",
      label,
      margins: others.map((output, m) => ({ output, lower: finiteOrNull(lower[m]) })),
      counterexample,
    },
    ...(counterexample && { refutations: [{ points: [counterexample] }] }),
    ...found?.told,
  };
}

/** The least number that is not 0. */
const LEAST = 2 ** -1074;

/**
 * Searches the margins that are open, a tree each, until all are above 0 or a point is below.
 *
 * Not chosen: one aim `among` them. Convex weights bound the least of several values, which proves that one of them is below a
 * threshold; a label needs that of the largest f_k - f_label, and of a largest one no combination is a bound.
 */
async function searchMargins(
  analysis: Analysis,
  start: SearchStart,
  rows: readonly Float64Array[],
  known: Float64Array,
  isRefuted: boolean,
): Promise<{ readonly lower: number[]; readonly counterexample: number[] | null; readonly told: Told }> {
  const open = isRefuted ? [] : rows.flatMap((_, m) => known[m] > 0 ? [] : [m]);
  const asked = open.map((m): Asked => ({
    aim: { kind: "value", row: negated(rows[m]) },
    upper: -known[m],
    lower: -Infinity,
    entries: null,
  }));
  const thresholds = open.map(() => -LEAST);
  const goal: Goal = { kind: "all_at_most", thresholds, refuted_ends: "search" };
  const { trees, told } = await searchAims(analysis, start, asked, asked.map(() => NOTHING_PROVED), goal);
  const lower = Array.from(known);
  open.forEach((m, t) => lower[m] = 0 - trees[t].upper);
  const below = trees.find(({ lower }) => lower > 0);
  return { lower, counterexample: below ? Array.from(below.point!) : null, told };
}

/** The coefficients of f_label - f_k. */
export function marginRow(size: number, label: number, k: number): Float64Array {
  const row = new Float64Array(size);
  row[label] = 1;
  row[k] = -1;
  return row;
}

async function attack(
  analysis: Analysis,
  rows: readonly Float64Array[],
  open: readonly number[],
): Promise<number[] | null> {
  const { graph, box, run } = analysis;
  for (const m of open) {
    run.signal?.throwIfAborted();
    const found = ascend(graph, box, midpoint(box), negatedMargin(graph, rows[m]), ATTACK_EVALUATIONS);
    const point = representable(found.point, analysis);
    if (found.score > 0 && await marginIsNegative(analysis, rows[m], point)) return Array.from(point);
  }
  return null;
}

function negatedMargin(graph: Analysis["graph"], row: Float64Array): Objective {
  const last = graph.nodes.length - 1;
  return (trace) => ({
    score: -trace.values[last].reduce((sum, value, k) => sum + row[k] * value, 0),
    direction: () => gradientPlain(graph, trace, row).map((entry) => -entry),
  });
}

/** Proved over the real numbers: the two outputs' enclosures at the point do not overlap. */
export async function marginIsNegative(analysis: Analysis, row: Float64Array, point: Float64Array): Promise<boolean> {
  const [outputs] = await outputsAt(analysis.graph, [point], analysis.run);
  return outputs.upper[row.indexOf(1)] < outputs.lower[row.indexOf(-1)];
}
