/**
 * A network and its dense twin are the same function, bounded by the same rules: their bounds agree up to rounding.
 *
 * What rounding may do to a bound is measured against the *reach* of the value: the sum of the magnitudes of all paths that
 * lead to it, |W| .. |W| |x|, which every magnitude that a radius is paid on stays below.
 */
import type { Graph, Node } from "../../shared/graph.ts";
import type { DerivativeRange, Relaxation } from "../../shared/operators/operator.ts";
import { kinksOf } from "../exact/pieces.ts";
import type { IntervalClaim } from "./findings.ts";
import { asksFor, type NodeFacts, type Passes } from "./passes.ts";
import type { Rows } from "./samples.ts";

/** Most that two bounds may differ by, in units of the reach. */
export const AGREEMENT = 1e-11;
/**
 * Added to the reach at every node, times the reach of all below: what is lost where products underflow is far less (a lost
 * coefficient meets any value below), and later weights enlarge both.
 */
const TINY = 2 ** -950;

/** Slopes and ranges that differ by more were chosen differently. */
const CHOICE = 1e-6;

export interface Comparison {
  readonly found: string[];
  /** Bounds compared. */
  compared: number;
  /** 1 where the two parted at a tie: a value within rounding of a kink, where the choice of a line may fall either way. */
  ties: number;
  /** The largest difference, in units of the reach. */
  largest: number;
}

/**
 * Every node's boxes, the outputs, entries and norms; nothing is compared any more beyond a tie. `shared`: magnitudes are
 * those of all rows together (the condensed form), so each row's reach is the largest.
 */
export function compareTwins(own: Passes, dense: Passes, box: Region, rows: Rows, shared: boolean): Comparison {
  const comparison: Comparison = { found: [], compared: 0, ties: 0, largest: 0 };
  const start = Float64Array.from(box.lower, (l, j) => Math.max(Math.abs(l), Math.abs(box.upper[j])));
  const forward = reachOf(dense.graph, dense.graph, start);
  compareNodes(comparison, dense.graph, dense.graph, own.forward, dense.forward, () => forward);
  if (comparison.ties === 0 && !sameRanges(own, dense)) comparison.ties = 1;
  if (comparison.ties > 0) return comparison;
  const last = forward.at(-1)!;
  const outputReach = rows.map((row) => row.reduce((sum, c, k) => sum + Math.abs(c) * last[k], lostBelow(forward)));
  compareClaims(comparison, "outputs", own.outputs, dense.outputs, outputReach);
  const seeds = rows.map((row) => Float64Array.from(row, Math.abs));
  const backward = (shared ? seeds.map(() => largestOf(seeds)) : seeds).map((seed) =>
    reachOf(dense.gradient, dense.graph, seed)
  );
  compareNodes(comparison, dense.gradient, dense.graph, own.backward, dense.backward, (g) => backward[g]);
  if (comparison.ties > 0) return comparison;
  rows.forEach((_, g) => {
    const reach = backward[g].at(-1)!;
    compareClaims(comparison, `entries of row ${g}`, own.entries[g], dense.entries[g], reach);
    const sum = reach.reduce((total, value) => total + value, 0);
    compareEnds(comparison, `norm of row ${g}`, own.norms[g], dense.norms[g], sum);
  });
  return comparison;
}

function largestOf(rows: readonly Float64Array[]): Float64Array {
  return rows[0].map((_, k) => Math.max(...rows.map((row) => row[k])));
}

type Region = { readonly lower: ArrayLike<number>; readonly upper: ArrayLike<number> };

function compareNodes(
  comparison: Comparison,
  graph: Graph,
  network: Graph,
  own: readonly NodeFacts[],
  dense: readonly NodeFacts[],
  reachOfGroup: (group: number) => readonly Float64Array[],
): void {
  for (let id = 0; id < graph.nodes.length; id++) {
    const node = graph.nodes[id], before = comparison.found.length;
    let nearKink = false;
    own[id].boxes.forEach((box, g) => {
      const other = dense[id].boxes[g], reach = reachOfGroup(g)[id];
      for (let i = 0; i < node.size; i++) {
        if (!asksFor(own[id], g, i) || !asksFor(dense[id], g, i)) continue;
        const what = `value ${i} of ${node.name}, group ${g}`;
        const agree = compareEnds(comparison, `${what} lower`, box.lower[i], other.lower[i], reach[i]) &&
          compareEnds(comparison, `${what} upper`, box.upper[i], other.upper[i], reach[i]);
        if (agree) continue;
        const ends = [box.lower[i], box.upper[i], other.lower[i], other.upper[i]];
        const kinks = kinksAbove(graph, network, id, i);
        nearKink ||= ends.some((end) => kinks.some((kink) => Math.abs(end - kink) <= AGREEMENT * reach[i]));
      }
    });
    if (nearKink) {
      comparison.found.length = before;
      comparison.ties = 1;
    } else if (comparison.found.length === before && !sameLines(own[id].relaxations, dense[id].relaxations)) {
      comparison.ties = 1;
    }
    if (comparison.found.length > before || comparison.ties > 0) return;
  }
}

/** Where the activations and products that read value i of a node bend. */
function kinksAbove({ nodes }: Graph, network: Graph, id: number, i: number): number[] {
  return nodes.filter(({ inputs }) => inputs.includes(id)).flatMap((node) => {
    if (["relu", "leaky_relu", "clip", "abs"].includes(node.operator)) return [...kinksOf(node, i)];
    return node.operator === "derivative_product" && network.nodes[node.of] ? [0] : [];
  });
}

function sameLines(own: readonly Relaxation[] | null, dense: readonly Relaxation[] | null): boolean {
  if (own === null || dense === null) return own === dense;
  return own.every((lines, g) => {
    const other = dense[g];
    return near(lines.lowerSlope, other.lowerSlope) && near(lines.upperSlope, other.upperSlope);
  });
}

function sameRanges(own: Passes, dense: Passes): boolean {
  return [...own.ranges].every(([id, range]) => {
    const other: DerivativeRange = dense.ranges.get(id)!;
    return near(range.lower, other.lower) && near(range.upper, other.upper);
  });
}

function near(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, i) => value === b[i] || Math.abs(value - b[i]) <= CHOICE * Math.max(1, Math.abs(value)));
}

function compareClaims(
  comparison: Comparison,
  what: string,
  own: IntervalClaim,
  dense: IntervalClaim,
  reach: ArrayLike<number>,
): void {
  own.lower.forEach((lower, i) => {
    compareEnds(comparison, `${what}, lower ${i}`, lower!, dense.lower[i]!, reach[i]);
    compareEnds(comparison, `${what}, upper ${i}`, own.upper[i]!, dense.upper[i]!, reach[i]);
  });
}

/** Both infinite, or near each other; where the reach overflows nothing is known. */
function compareEnds(comparison: Comparison, what: string, own: number, dense: number, reach: number): boolean {
  if (!Number.isFinite(reach) || reach > 1e290) return true;
  comparison.compared++;
  if (own === dense) return true;
  const difference = Math.abs(own - dense);
  if (difference <= AGREEMENT * reach) {
    comparison.largest = Math.max(comparison.largest, difference / reach);
    return true;
  }
  comparison.found.push(`${what}: ${own}, ${dense} of the dense twin (reach ${reach})`);
  return false;
}

/** By node: at least the magnitudes of a value and of everything that adds up to it, for inputs of these magnitudes. */
export function reachOf(graph: Graph, network: Graph, start: Float64Array): Float64Array[] {
  const reach: Float64Array[] = [];
  for (const node of graph.nodes) {
    const [m, other] = node.inputs.map((input) => reach[input]);
    const own = node.operator === "input" ? start : reachOfNode(node, m, other, network);
    const lost = lostBelow(reach);
    reach.push(own.map((value) => value + lost));
  }
  return reach;
}

function lostBelow(reach: readonly Float64Array[]): number {
  return reach.reduce((sum, values) => values.reduce((total, value) => total + value * TINY, sum), TINY);
}

function reachOfNode(node: Node, m: Float64Array, other: Float64Array, network: Graph): Float64Array {
  switch (node.operator) {
    case "affine":
      return Float64Array.from({ length: node.size }, (_, i) => {
        let sum = Math.abs(node.bias?.[i] ?? 0);
        m.forEach((value, j) => {
          const w = node.weights[node.transposed ? j * node.size + i : i * m.length + j];
          // An entry of 0 keeps what overflows out.
          if (w !== 0) sum += Math.abs(w) * value;
        });
        return sum;
      });
    case "scale":
      return m.map((value, i) => Math.abs(node.inverse ? value / node.factors[i] : value * node.factors[i]));
    case "shift":
      return m.map((value, i) => value + Math.abs(node.offsets[i]));
    case "add":
      return m.map((value, i) => value + other[i]);
    case "leaky_relu":
      return m.map((value, i) => value * Math.max(1, Math.abs(node.slopes[i])));
    case "clip":
      return m.map((value, i) =>
        [node.lower[i], node.upper[i]].reduce((sum, end) => Number.isFinite(end) ? sum + Math.abs(end) : sum, value)
      );
    case "derivative_product": {
      const of = network.nodes[node.of];
      return of.operator === "leaky_relu" ? m.map((value, i) => value * Math.max(1, Math.abs(of.slopes[i]))) : m;
    }
    default:
      return m;
  }
}
