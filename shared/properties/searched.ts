import { type Pass, rulesOf } from "../bounds/pass.ts";
import type { SearchReport } from "../certificate/finding.ts";
import type { SearchRecord } from "../certificate/search_record.ts";
import { type CondensedNetwork, condenseNetwork } from "../condensed/condense_network.ts";
import type { NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { Goal } from "../search/goal.ts";
import type { Aim } from "../search/objective.ts";
import type { Asked } from "../search/roots.ts";
import { type RegionSearched, searchRegion } from "../search/search.ts";
import type { Proved } from "../search/tree.ts";
import { type Analysis, representable } from "./analysis.ts";

/** What a search begins with: the network condensed over the box, and bounds of its activations' inputs. */
export interface SearchStart {
  /** Null: too large to be searched. */
  readonly network: CondensedNetwork | null;
  readonly inputs: ReadonlyMap<NodeId, Box>;
}

/** Of a finished pass over the network (or more: rows after it are left out); null where no search was asked for. */
export function searchStart({ graph, options }: Analysis, pass: Pass): SearchStart | null {
  if (!options.search) return null;
  const { states } = pass;
  const activations = graph.nodes.filter((node) => rulesOf(node)?.kind === "elementwise");
  return {
    network: condenseNetwork({ ...pass, graph }),
    inputs: new Map(activations.map(({ inputs: [id] }) => [id, states[id].boxes[0]])),
  };
}

export interface SearchedAims extends Pick<RegionSearched, "trees" | "openShares"> {
  readonly told: Told;
}

/** What an outcome says of a search. */
export interface Told {
  readonly search: SearchReport;
  readonly record?: SearchRecord;
}

/** Searches aims, a tree each, as far as the question's limits and the host let it. */
export async function searchAims(
  analysis: Analysis,
  { network, inputs }: SearchStart,
  asked: readonly Asked[],
  proved: readonly Proved[],
  goal: Goal,
): Promise<SearchedAims> {
  const { graph, box, run, options, host } = analysis;
  const { trees, nodes, open, stoppedBy, openShares, record, parts } = await searchRegion({
    original: { graph, inputs },
    box,
    network,
    asked,
    proved,
    goal,
    limits: options.search!,
    place: (point) => representable(point, analysis),
    everyBox: analysis.everyBox,
    run,
  }, host);
  const search: SearchReport = {
    nodes,
    open,
    stopped_by: stoppedBy,
    ...(parts !== undefined && parts > 1 && { parts }),
  };
  return { trees, openShares, told: { search, ...(record && { record }) } };
}

/** An aim of which nothing is proved yet. */
export const NOTHING_PROVED: Proved = { lower: -Infinity, point: null };

export function negated(row: Float64Array): Float64Array {
  return row.map((c) => -c);
}

/** A quantity with the bounds of one pass; what is maximised for its upper end, and for its lower one. */
export interface Quantity {
  readonly lower: number;
  readonly upper: number;
  readonly rising: Aim;
  readonly falling: Aim;
}

/** Both ends of every quantity as far as a search brings them: two trees each, every one its own maximum. */
export async function searchEnds(
  analysis: Analysis,
  start: SearchStart,
  quantities: readonly Quantity[],
): Promise<
  { readonly ends: readonly { readonly lower: number; readonly upper: number }[]; readonly told: Told }
> {
  const asked = quantities.flatMap(({ lower, upper, rising, falling }): Asked[] => [
    { aim: rising, upper, lower: -Infinity, entries: null },
    { aim: falling, upper: -lower, lower: -Infinity, entries: null },
  ]);
  const { trees, told } = await searchAims(analysis, start, asked, asked.map(() => NOTHING_PROVED), { kind: "each" });
  const ends = quantities.map((_, q) => ({ lower: 0 - trees[2 * q + 1].upper, upper: trees[2 * q].upper }));
  return { ends, told };
}
