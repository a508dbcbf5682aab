import { type Pass, rulesOf } from "../bounds/pass.ts";
import type { SearchReport } from "../certificate/finding.ts";
import { type CondensedNetwork, condenseNetwork } from "../condensed/condense_network.ts";
import type { NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { Goal } from "../search/goal.ts";
import type { Searched } from "../search/loop.ts";
import type { Piece } from "../search/piece.ts";
import type { Asked } from "../search/roots.ts";
import { searchRegion } from "../search/search.ts";
import type { Proved } from "../search/tree.ts";
import { type Analysis, representable } from "./analysis.ts";

/** What a search begins with: the network condensed over the box, and bounds of its activations' inputs. */
export interface SearchStart {
  /** Null: too large to be searched. */
  readonly network: CondensedNetwork | null;
  readonly inputs: ReadonlyMap<NodeId, Box>;
}

/** Of a finished pass over the network; null where no search was asked for. */
export function searchStart({ options }: Analysis, pass: Pass): SearchStart | null {
  if (!options.search) return null;
  const { graph, states } = pass;
  const activations = graph.nodes.filter((node) => rulesOf(node)?.kind === "elementwise");
  return {
    network: condenseNetwork(pass),
    inputs: new Map(activations.map(({ inputs: [id] }) => [id, states[id].boxes[0]])),
  };
}

/** Searches aims, a tree each, as far as the question's limits and the host let it. */
export async function searchAims(
  analysis: Analysis,
  { network, inputs }: SearchStart,
  asked: readonly Asked[],
  proved: readonly Proved[],
  goal: Goal,
): Promise<{ readonly trees: Searched<Piece>["trees"]; readonly report: SearchReport }> {
  const { graph, box, run, options, host } = analysis, { max_nodes, gap } = options.search!;
  const { trees, nodes, open, stoppedBy } = await searchRegion({
    original: { graph, inputs },
    box,
    network,
    asked,
    proved,
    goal,
    limits: { max_nodes, gap },
    place: (point) => representable(point, analysis),
    run,
  }, host);
  return { trees, report: { nodes, open, stopped_by: stoppedBy } };
}
