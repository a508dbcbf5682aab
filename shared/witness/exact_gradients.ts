import { boundGraph } from "../bounds/bound_graph.ts";
import { rulesOf, type Run } from "../bounds/pass.ts";
import type { Graph, Node, NodeId } from "../graph.ts";
import { type Directions, hasOpenCone } from "../linear/cone.ts";
import { type ExactForm, exactForm, exactOutput, lessNumber, numeratorAt } from "../linear/exact_form.ts";
import { entryOf, normOf } from "../linear/exact_norm.ts";
import { type Box, pointBox } from "../numeric/box.ts";
import type { ElementwiseOperator } from "../operators/operator.ts";
import { AT_POINTS, gradientAt, type PointAndSeed } from "./prove.ts";

/** Neurons whose sign intervals do not prove, activation regions, and products, at one point. */
export const POINT_LIMITS = { doubtful: 48, regions: 64, products: 4_000_000, coordinates: 96, pivots: 200 };

/** A neuron whose input at the point intervals do not part from a kink. */
interface Doubtful {
  readonly activation: NodeId;
  readonly index: number;
}

/**
 * The gradients of row . f in activation regions whose closure holds a point, exactly: each region has an interior, and in the box.
 * Where no neuron is on a kink there is one; else as many as are met within {@link POINT_LIMITS}, none where those end it.
 *
 * A box with an interior cuts the regions; of one without only the point counts, and the regions of the space around. With
 * `box` null a point on a kink has none: what is found holds for every box that holds the point.
 *
 * Source: shared/README.md (27)
 */
export async function exactGradientsAt(
  graph: Graph,
  box: Box | null,
  point: Float64Array,
  row: Float64Array,
  run: Run,
): Promise<ExactForm[]> {
  const inputs = await run.kernels.scope(async () => {
    const pass = await boundGraph(graph, [{ box: pointBox(point) }], AT_POINTS, run);
    return pass.states.map(({ boxes: [one] }) => one);
  });
  const { phases, doubtful } = provedPhases(graph, inputs);
  if (doubtful.length > POINT_LIMITS.doubtful) return [];
  const found: ExactForm[] = [], work = { products: POINT_LIMITS.products };
  const directions = box && directionsAt(box, point);
  const visit = (at: number, cuts: readonly (readonly bigint[])[]): void => {
    if (found.length >= POINT_LIMITS.regions || work.products < 0) return;
    if (at === doubtful.length) {
      const form = exactOutput(graph, phases, row, work);
      if (form !== null) found.push(form);
      return;
    }
    const { activation, index } = doubtful[at], node = graph.nodes[activation];
    const form = exactForm(graph, phases, node.inputs[0], index, work);
    if (form === null) return;
    const { kinks } = piecesOf(node, index), own = phases.get(activation)!;
    const heights = kinks.map((kink) => numeratorAt(lessNumber(form, kink), point));
    const passed = heights.filter((height) => height > 0n).length;
    own[index] = phaseOf(node, index, passed);
    // Constant next to the point, it has no gradient: either phase gives the same one.
    const moves = form.coefficients.some((c) => c !== 0n);
    if (!moves || !heights.includes(0n)) visit(at + 1, cuts);
    else if (directions !== null) {
      for (const side of [1n, -1n]) {
        const cut = [...cuts, form.coefficients.map((c) => side * c)];
        if (!hasOpenCone(cut, directions, POINT_LIMITS)) continue;
        own[index] = phaseOf(node, index, side > 0n ? passed + 1 : passed);
        visit(at + 1, cut);
      }
    }
    own[index] = 0;
  };
  visit(0, []);
  return found;
}

/** The largest l1 norm of {@link exactGradientsAt}, rounded down; -Infinity where there is none. */
export async function mostNormAt(
  graph: Graph,
  box: Box | null,
  point: Float64Array,
  row: Float64Array,
  run: Run,
): Promise<number> {
  const forms = await exactGradientsAt(graph, box, point, row, run);
  return forms.reduce((most, form) => Math.max(most, normOf(form).lower), -Infinity);
}

/** The same of one entry. */
export async function mostEntryAt(
  graph: Graph,
  box: Box | null,
  { point, seed, feature }: PointAndEntry,
  run: Run,
): Promise<number> {
  const forms = await exactGradientsAt(graph, box, point, seed, run);
  return forms.reduce((most, form) => Math.max(most, entryOf(form, feature).lower), -Infinity);
}

export interface PointAndEntry extends PointAndSeed {
  readonly feature: number;
}

/** Whether entries are proved below and above 0 at points: in outward arithmetic, else exactly. */
export async function signsAt(
  graph: Graph,
  box: Box | null,
  asked: readonly PointAndEntry[],
  run: Run,
): Promise<{ readonly falls: boolean; readonly rises: boolean }[]> {
  const gradients = await gradientAt(graph, asked, run), signs: { falls: boolean; rises: boolean }[] = [];
  for (const [i, { point, seed, feature }] of asked.entries()) {
    const { lower: { [feature]: lower }, upper: { [feature]: upper } } = gradients[i];
    let falls = upper < 0, rises = lower > 0;
    if (!falls && !rises) {
      for (const { coefficients: { [feature]: entry } } of await exactGradientsAt(graph, box, point, seed, run)) {
        falls ||= entry < 0n;
        rises ||= entry > 0n;
      }
    }
    signs.push({ falls, rises });
  }
  return signs;
}

/** The phase of every neuron that is proved off its kinks, and the others in the order of the graph. */
function provedPhases(graph: Graph, values: readonly Box[]) {
  const phases = new Map<NodeId, Int8Array>(), doubtful: Doubtful[] = [];
  graph.nodes.forEach((node, activation) => {
    if (rulesOf(node)?.kind !== "elementwise") return;
    const { lower, upper } = values[node.inputs[0]], own = new Int8Array(node.size);
    phases.set(activation, own);
    for (let index = 0; index < node.size; index++) {
      const { kinks } = piecesOf(node, index), passed = kinks.filter((kink) => lower[index] > kink).length;
      if (kinks.every((kink) => lower[index] > kink || upper[index] < kink)) own[index] = phaseOf(node, index, passed);
      else doubtful.push({ activation, index });
    }
  });
  return { phases, doubtful };
}

function piecesOf(node: Node, index: number) {
  return (rulesOf(node) as Required<ElementwiseOperator>).linearPieces(node, index);
}

/** The phase of a neuron above so many of its kinks. */
export function phaseOf(node: Node, index: number, passed: number): number {
  const { slopes, constants } = piecesOf(node, index);
  if (node.operator !== "clip") return passed === slopes.length - 1 ? 1 : -1;
  if (slopes[passed] === 1) return 1;
  return constants[passed] === node.upper[index] ? 2 : -1;
}

function directionsAt({ lower, upper }: Box, point: Float64Array): Directions {
  const isSolid = lower.every((l, j) => l < upper[j]);
  return {
    lower: Int8Array.from(point, (x, j) => (isSolid && x <= lower[j] ? 0 : -1)),
    upper: Int8Array.from(point, (x, j) => (isSolid && x >= upper[j] ? 0 : 1)),
  };
}
