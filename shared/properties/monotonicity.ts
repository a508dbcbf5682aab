import {
  type Direction,
  finiteOrNull,
  type MonotonicityFinding,
  type Outcome,
  type Refutation,
} from "../certificate/finding.ts";
import { entryBounds } from "../jacobian/jacobian_bounds.ts";
import type { Box } from "../numeric/box.ts";
import type { Property } from "../query.ts";
import type { Goal } from "../search/goal.ts";
import type { Asked } from "../search/roots.ts";
import { gradientAt } from "../witness/prove.ts";
import { type EntrySearch, searchEntries } from "../witness/search_entries.ts";
import {
  type Analysis,
  boundNetwork,
  gatesOf,
  outputSize,
  relaxationOptions,
  representable,
  searchBudget,
  unitRow,
} from "./analysis.ts";
import { negated, NOTHING_PROVED, searchAims, type SearchStart, searchStart, type Told } from "./searched.ts";

type Question = Extract<Property, { type: "monotonicity" }>;
type FeatureFinding = MonotonicityFinding["features"][number];

/** Whether an output rises or falls with each feature over the whole box: signs of the Clarke Jacobian's entries. */
export async function monotonicity(question: Question, analysis: Analysis): Promise<Outcome> {
  const { output, features, direction } = question;
  const seed = unitRow(outputSize(analysis.graph), output);
  const { entries, gates, start } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const [entries] = await entryBounds(forward, [seed], features, relaxationOptions(analysis), analysis.run);
    return { entries, gates: gatesOf(forward), start: searchStart(analysis, forward) };
  });
  const open = features.filter((i) => !isSettled(entries, i, direction));
  const search = searchEntries(analysis.graph, analysis.box, seed, open, gates, searchBudget(analysis));
  const proved = await proveSigns(analysis, seed, search);
  const searched = start && await searchSigns(analysis, start, question, seed, { entries, open, proved });
  const found = features.map((feature) =>
    describe(feature, entries, proved.get(feature), searched?.shares.get(feature))
  );
  return {
    ...verdictOf(found, direction),
    finding: { type: "monotonicity", output, features: found.map(({ finding }) => finding) },
    ...searched?.told,
    refutations: found.filter((one) => isRefuted(one, direction)).map((one) => refutationOf(one, direction)),
  };
}

/** Points where an entry is proved negative and positive. */
interface ProvedSigns {
  negative: number[] | null;
  positive: number[] | null;
}

function isSettled(entries: Box, i: number, direction: Question["direction"]): boolean {
  if (direction === "increasing") return entries.lower[i] >= 0;
  if (direction === "decreasing") return entries.upper[i] <= 0;
  return entries.lower[i] >= 0 || entries.upper[i] <= 0;
}

async function proveSigns(
  analysis: Analysis,
  seed: Float64Array,
  search: EntrySearch,
): Promise<Map<number, ProvedSigns>> {
  const candidates = search.map(({ feature, least, largest }) => ({
    feature,
    points: [least, largest].map(({ point }) => representable(point, analysis)),
  }));
  // Many features share their best points: each is proved once.
  const distinct = new Map<string, Float64Array>();
  for (const { points } of candidates) for (const point of points) distinct.set(point.join(), point);
  const points = [...distinct.values()];
  const gradients = await gradientAt(analysis.graph, points.map((point) => ({ point, seed })), analysis.run);
  const gradientOf = new Map([...distinct.keys()].map((key, p) => [key, gradients[p]]));
  const proved = new Map<number, ProvedSigns>();
  for (const { feature, points: [least, largest] } of candidates) {
    proved.set(feature, {
      negative: gradientOf.get(least.join())!.upper[feature] < 0 ? Array.from(least) : null,
      positive: gradientOf.get(largest.join())!.lower[feature] > 0 ? Array.from(largest) : null,
    });
  }
  return proved;
}

/** One feature's finding, and where its derivative is proved to be negative and positive. */
interface Found {
  readonly finding: FeatureFinding;
  readonly falls: number[] | null;
  readonly rises: number[] | null;
}

/**
 * Searches the signs that are open, in place: a tree for each sign that a feature's derivative must not have, ended by a point that has it.
 * Without a direction both signs are asked, and one of them is enough.
 */
async function searchSigns(
  analysis: Analysis,
  start: SearchStart,
  { direction }: Question,
  seed: Float64Array,
  { entries, open, proved }: {
    readonly entries: Box;
    readonly open: readonly number[];
    readonly proved: ReadonlyMap<number, ProvedSigns>;
  },
): Promise<{ readonly shares: ReadonlyMap<number, number>; readonly told: Told }> {
  const opposite = negated(seed);
  // Falling: the derivative may be below 0, its negative is maximised.
  const isRefuted = direction !== undefined &&
    open.some((feature) => proved.get(feature)![direction === "increasing" ? "negative" : "positive"] !== null);
  const trees = (isRefuted ? [] : open).flatMap((feature) => {
    const { negative, positive } = proved.get(feature)!;
    return [
      ...(direction === "decreasing" || negative ? [] : [{ feature, falling: true }]),
      ...(direction === "increasing" || positive ? [] : [{ feature, falling: false }]),
    ];
  });
  const asked = trees.map(({ feature, falling }): Asked => ({
    aim: { kind: "entry", row: falling ? opposite : seed, feature },
    upper: falling ? -entries.lower[feature] : entries.upper[feature],
    lower: -Infinity,
    entries: null,
  }));
  const goal: Goal = {
    kind: "all_at_most",
    thresholds: trees.map(() => 0),
    refuted_ends: direction === undefined ? "tree" : "search",
  };
  const found = await searchAims(analysis, start, asked, asked.map(() => NOTHING_PROVED), goal);
  const shares = new Map<number, number>();
  trees.forEach(({ feature, falling }, t) => {
    const { upper, lower, point } = found.trees[t], signs = proved.get(feature)!;
    if (falling) entries.lower[feature] = Math.max(entries.lower[feature], 0 - upper);
    else entries.upper[feature] = Math.min(entries.upper[feature], upper);
    if (lower > 0 && falling) signs.negative = Array.from(point!);
    else if (lower > 0) signs.positive = Array.from(point!);
    else shares.set(feature, Math.min(shares.get(feature) ?? 1, found.openShares[t]));
  });
  return { shares, told: found.told };
}

function describe(feature: number, entries: Box, signs: ProvedSigns | undefined, share: number | undefined): Found {
  const lower = entries.lower[feature];
  const upper = entries.upper[feature];
  const falls = signs?.negative ?? null, rises = signs?.positive ?? null;
  const witnesses = [falls, rises].filter((point) => point !== null);
  const direction = directionOf(lower, upper, signs);
  return {
    finding: {
      feature,
      direction,
      lower: finiteOrNull(lower),
      upper: finiteOrNull(upper),
      witnesses,
      ...(direction === "unknown" && share !== undefined && { unproved: share }),
    },
    falls,
    rises,
  };
}

function directionOf(lower: number, upper: number, signs: ProvedSigns | undefined): Direction {
  if (lower >= 0 && upper <= 0) return "constant";
  if (lower >= 0) return "increasing";
  if (upper <= 0) return "decreasing";
  return signs?.negative && signs.positive ? "neither" : "unknown";
}

function verdictOf(
  found: readonly Found[],
  direction: Question["direction"],
): Pick<Outcome, "verdict" | "reason"> {
  if (found.every((one) => isCertified(one.finding.direction, direction))) {
    return { verdict: "certified", reason: null };
  }
  if (found.some((one) => isRefuted(one, direction))) return { verdict: "refuted", reason: null };
  const finite = found.every(({ finding }) => finding.lower !== null && finding.upper !== null);
  return { verdict: "unknown", reason: finite ? "bounds-too-loose" : "overflow" };
}

function isCertified(proved: Direction, asked: Question["direction"]): boolean {
  if (proved === "constant") return true;
  return asked === undefined ? proved === "increasing" || proved === "decreasing" : proved === asked;
}

/** Refuted by a proved derivative of the other sign; without a direction, by both signs. */
function isRefuted({ falls, rises }: Found, asked: Question["direction"]): boolean {
  if (asked === undefined) return falls !== null && rises !== null;
  return (asked === "increasing" ? falls : rises) !== null;
}

/** The points that refute it, those of a falling output first. */
function refutationOf({ finding: { feature }, falls, rises }: Found, asked: Question["direction"]): Refutation {
  const points = asked === "increasing" ? [falls] : asked === "decreasing" ? [rises] : [falls, rises];
  return { feature, points: points.filter((point) => point !== null) };
}
