/**
 * All activation regions of a small network that a box meets, and what is exactly true over them.
 *
 * A region counts if its intersection with the box has interior. Where the box itself has none (a coordinate of width 0)
 * it counts if it has interior in the space around and touches the box: what remains is then the Clarke Jacobian of all
 * inputs over the closed box. Nothing rounds.
 */
import type { Graph, Node } from "../../shared/graph.ts";
import { divide, type Exact, exact, multiply, sign, subtract, ZERO } from "./dyadic.ts";
import { type Activation, isActivation, kinksOf, pieceOf } from "./pieces.ts";
import { type Form, maximise, shortPoint, side, valueAt } from "./polytope.ts";
import { combine, constantMatrix, type ExactVector, exactVector } from "./vector.ts";

export interface Ends {
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
}

export interface LinearRegion {
  /** The outputs as forms of the inputs. */
  readonly outputs: readonly Form[];
  /** Together with the box: the closed region. */
  readonly cuts: readonly Form[];
  /** A point of the region inside the box (of its closure, for a box without interior). */
  readonly point: ExactVector;
}

/** What has been decided so far, with the proof that it is not empty. */
interface Cell {
  readonly cuts: readonly Form[];
  /** Strictly inside of every cut. */
  readonly inner: ExactVector;
  /** In the box and on no wrong side of a cut; null where the box has interior and `inner` says as much. */
  readonly touch: ExactVector | null;
}

interface Space {
  /** Where interior is looked for: the box, or more than it. */
  readonly around: readonly Form[];
  readonly box: readonly Form[];
}

/** Throws: RangeError beyond `most` regions, or for a node that is not affine, a sum or an activation. */
export function regionsOf(graph: Graph, box: Ends, most = 20_000): LinearRegion[] {
  const features = box.lower.length, lower = exactVector(box.lower), upper = exactVector(box.upper);
  const solid = Array.from(box.lower).every((l, j) => l < box.upper[j]);
  const grow = exactVector(Array.from(box.lower, () => solid ? 0 : 1));
  const ends = { lower: combine(lower, grow, -1), upper: combine(upper, grow, 1) };
  const space = { around: sidesOf(ends), box: sidesOf({ lower, upper }) };
  const doubled = combine(lower, upper, 1), middle = { ...doubled, exponent: doubled.exponent - 1 };
  const start = { cuts: [], inner: middle, touch: solid ? null : middle };
  const inputs = Array.from({ length: features }, (_, j) => side(features, j, ZERO, 1));
  const found: LinearRegion[] = [];
  for (const region of walk(graph, 1, [inputs], start, space)) {
    if (found.push(region) > most) throw new RangeError(`more than ${most} regions`);
  }
  return found;
}

/** The forms that are >= 0 in the box. */
export function sidesOf({ lower, upper }: { readonly lower: ExactVector; readonly upper: ExactVector }): Form[] {
  const features = lower.numerators.length;
  return lower.numerators.flatMap((l, j) => [
    side(features, j, { ...lower, numerator: l }, 1),
    side(features, j, { ...upper, numerator: upper.numerators[j] }, -1),
  ]);
}

function* walk(
  graph: Graph,
  id: number,
  values: readonly (readonly Form[])[],
  cell: Cell,
  space: Space,
): Generator<LinearRegion> {
  if (id === graph.nodes.length) {
    yield { outputs: values.at(-1)!, cuts: cell.cuts, point: cell.touch ?? cell.inner };
    return;
  }
  const node = graph.nodes[id];
  if (!isActivation(node)) {
    yield* walk(graph, id + 1, [...values, image(node, values)], cell, space);
    return;
  }
  const below = values[node.inputs[0]];
  let part: { forms: readonly Form[]; cell: Cell }[] = [{ forms: [], cell }];
  for (let i = 0; i < node.size; i++) {
    part = part.flatMap(({ forms, cell }) =>
      Array.from(
        passes(kinksOf(node, i), below[i], 0, cell, space),
        ({ passed, cell }) => ({ forms: [...forms, activated(node, i, passed, below[i])], cell }),
      )
    );
  }
  for (const { forms, cell } of part) yield* walk(graph, id + 1, [...values, forms], cell, space);
}

/** Every number of kinks from `passed` on that z passes somewhere in the cell, and where. */
function* passes(
  kinks: readonly number[],
  z: Form,
  passed: number,
  cell: Cell,
  space: Space,
): Generator<{ passed: number; cell: Cell }> {
  if (passed === kinks.length) {
    yield { passed, cell };
    return;
  }
  const over = combine(z, constantForm(z, kinks[passed]), -1), features = z.numerators.length - 1;
  if (over.numerators.slice(0, features).every((n) => n === 0n)) {
    // Constant: on the kink itself either piece will do, since its input has no gradient.
    if (over.numerators[features] < 0n) yield { passed, cell };
    else yield* passes(kinks, z, passed + 1, cell, space);
    return;
  }
  const short = cutBy(cell, negative(over), space);
  if (short !== null) yield { passed, cell: short };
  const beyond = cutBy(cell, over, space);
  if (beyond !== null) yield* passes(kinks, z, passed + 1, beyond, space);
}

/** The part of a cell where a form is >= 0; null where that has no interior, or does not touch the box. */
function cutBy(cell: Cell, form: Form, space: Space): Cell | null {
  const walls = [...space.around, ...cell.cuts];
  let { inner, touch } = cell;
  const here = valueAt(form, inner);
  if (sign(here) <= 0) {
    const best = maximise(walls, form, inner, 1), there = valueAt(form, best);
    if (sign(there) <= 0) return null;
    // Half the way from where the form is 0 to the point found.
    const back = divide(there, multiply(exact(2), subtract(there, here)));
    inner = shortPoint(best, inner, back, (point) => [...walls, form].every((wall) => sign(valueAt(wall, point)) > 0));
  }
  if (touch !== null && sign(valueAt(form, touch)) < 0) {
    touch = maximise([...space.box, ...cell.cuts], form, touch, 0);
    if (sign(valueAt(form, touch)) < 0) return null;
  }
  return { cuts: [...cell.cuts, form], inner, touch };
}

export function negative(form: Form): Form {
  return { ...form, numerators: form.numerators.map((n) => -n) };
}

function constantForm(like: Form, value: number): Form {
  const numerators = new Array<number>(like.numerators.length).fill(0);
  numerators[numerators.length - 1] = value;
  return exactVector(numerators);
}

function times(form: Form, factor: Exact): Form {
  return {
    ...form,
    numerators: form.numerators.map((n) => n * factor.numerator),
    exponent: form.exponent + factor.exponent,
  };
}

function activated(node: Activation, i: number, passed: number, z: Form): Form {
  const { slope, constant } = pieceOf(node, i, passed);
  return combine(times(z, exact(slope)), constantForm(z, constant), 1);
}

/** sum_k row_k forms_k. */
export function combined(forms: readonly Form[], row: readonly Exact[]): Form {
  return forms.map((form, k) => times(form, row[k])).reduce((sum, form) => combine(sum, form, 1));
}

function image(node: Node, values: readonly (readonly Form[])[]): Form[] {
  const below = values[node.inputs[0]];
  switch (node.operator) {
    case "affine": {
      if (node.transposed) break;
      const { entries, exponent } = constantMatrix(node.weights), columns = below.length;
      return Array.from({ length: node.size }, (_, i) => {
        const row = below.map((_, j) => ({ numerator: entries[i * columns + j], exponent, denominator: 1n }));
        const form = combined(below, row);
        return node.bias === null ? form : combine(form, constantForm(form, node.bias[i]), 1);
      });
    }
    case "scale":
      if (node.inverse) break;
      return below.map((form, i) => times(form, exact(node.factors[i])));
    case "shift":
      return below.map((form, i) => combine(form, constantForm(form, node.offsets[i]), 1));
    case "add":
      return below.map((form, i) =>
        combine(node.signs[0] === 1 ? form : negative(form), values[node.inputs[1]][i], node.signs[1])
      );
  }
  throw new RangeError(`${node.operator} is not enumerated`);
}
