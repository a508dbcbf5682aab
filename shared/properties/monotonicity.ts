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

type Question = Extract<Property, { type: "monotonicity" }>;
type FeatureFinding = MonotonicityFinding["features"][number];

/** Whether an output rises or falls with each feature over the whole box: signs of the Clarke Jacobian's entries. */
export async function monotonicity(question: Question, analysis: Analysis): Promise<Outcome> {
  const { output, features, direction } = question;
  const seed = unitRow(outputSize(analysis.graph), output);
  const { entries, gates } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const [entries] = await entryBounds(forward, [seed], features, relaxationOptions(analysis), analysis.run);
    return { entries, gates: gatesOf(forward) };
  });
  const open = features.filter((i) => !isSettled(entries, i, direction));
  const search = searchEntries(analysis.graph, analysis.box, seed, open, gates, searchBudget(analysis));
  const proved = await proveSigns(analysis, seed, search);
  const found = features.map((feature) => describe(feature, entries, proved.get(feature)));
  return {
    ...verdictOf(found, direction),
    finding: { type: "monotonicity", output, features: found.map(({ finding }) => finding) },
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

function describe(feature: number, entries: Box, signs: ProvedSigns | undefined): Found {
  const lower = entries.lower[feature];
  const upper = entries.upper[feature];
  const falls = signs?.negative ?? null, rises = signs?.positive ?? null;
  const witnesses = [falls, rises].filter((point) => point !== null);
  return {
    finding: {
      feature,
      direction: directionOf(lower, upper, signs),
      lower: finiteOrNull(lower),
      upper: finiteOrNull(upper),
      witnesses,
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
