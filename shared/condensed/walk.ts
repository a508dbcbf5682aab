import type { Graph, NodeId } from "../graph.ts";
import { FLOOR, type LinearStep, linearStep, mayUnderflow, pullBackRows, type Rows, smallestIn } from "./pull_back.ts";
import type { BentNode, Unit } from "./units.ts";

/** What rows meet on their way to the input, prepared once. */
export interface Way {
  readonly graph: Graph;
  readonly bent: ReadonlyMap<NodeId, BentNode>;
  readonly linear: ReadonlyMap<NodeId, LinearStep>;
  /** The column of each unit. */
  readonly columns: ReadonlyMap<Unit, number>;
  /** At least the roundings on the path of any product to its place in a table. */
  readonly roundings: number;
}

export function wayOf(graph: Graph, bent: ReadonlyMap<NodeId, BentNode>, columns: ReadonlyMap<Unit, number>): Way {
  const linear = new Map<NodeId, LinearStep>();
  const consumers = new Int32Array(graph.nodes.length);
  let roundings = 0, longest = 0;
  graph.nodes.forEach((node, id) => {
    if (id === 0) return;
    for (const input of node.inputs) consumers[input]++;
    const step = bent.has(id) ? null : linearStep(node);
    if (step) linear.set(id, step);
    // An activation: its slope, its jump and the product with it, a floor.
    roundings += step ? step.roundings : 4;
    if (step ? step.offsets : bent.get(id)!.constants) {
      // Constants: their own sum, then one addition a node.
      roundings += 1;
      longest = Math.max(longest, node.size);
    }
  });
  for (const count of consumers) roundings += Math.max(0, count - 1);
  // The product in front of a sum of constants, its floor, the kink, and the final inflation.
  return { graph, bent, linear, columns, roundings: roundings + longest + 4 };
}

/** Numbers for each row: over the inputs and the units, and a constant. */
export interface Tables {
  readonly inputs: Float64Array;
  readonly units: Float64Array;
  readonly constants: Float64Array;
}

/** Where the rows' coefficients go: rows `first`, `first` + 1, … of tables that start as zeros. */
export interface Place {
  readonly first: number;
  readonly values: Tables;
  readonly magnitudes: Tables;
}

/**
 * Walks rows over the values of a node down to the input: a line where the activation is one, and at a bend the coefficient
 * goes to the unit's column.
 */
export function walkDown(way: Way, target: NodeId, start: Rows, place: Place): void {
  const { graph, bent, linear } = way;
  const waiting = new Map<NodeId, Rows>([[target, start]]);
  for (let id = target; id > 0; id--) {
    const rows = waiting.get(id);
    if (!rows) continue;
    waiting.delete(id);
    const step = linear.get(id);
    const { inputs } = graph.nodes[id];
    if (step) {
      if (step.offsets) addConstants(rows, step.offsets, step.smallestOffset, place);
      inputs.forEach((to, k) => send(waiting, to, pullBackRows(step, rows, k, graph.nodes[to].size)));
    } else {
      const node = bent.get(id)!;
      if (node.constants) addConstants(rows, node.constants, smallestIn(node.constants), place);
      takeBends(way, node, rows, place);
      send(waiting, inputs[0], throughSlopes(node.slopes, rows));
    }
  }
  const rows = waiting.get(0);
  rows?.values.forEach((row, r) => {
    place.values.inputs.set(row, (place.first + r) * row.length);
    place.magnitudes.inputs.set(rows.magnitudes[r], (place.first + r) * row.length);
  });
}

/** Where branches part, the rows that come back are added. */
function send(waiting: Map<NodeId, Rows>, to: NodeId, rows: Rows): void {
  const known = waiting.get(to);
  waiting.set(
    to,
    known ? { values: sum(known.values, rows.values), magnitudes: sum(known.magnitudes, rows.magnitudes) } : rows,
  );
}

function sum(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] {
  return a.map((row, r) => {
    const out = row.slice(), other = b[r];
    for (let i = 0; i < out.length; i++) out[i] += other[i];
    return out;
  });
}

function addConstants(
  rows: Rows,
  constants: Float64Array,
  smallest: number,
  { first, values, magnitudes }: Place,
): void {
  rows.values.forEach((row, r) => {
    const sizes = rows.magnitudes[r];
    let value = 0, magnitude = mayUnderflow(row, sizes, smallest) ? FLOOR : 0;
    for (let i = 0; i < row.length; i++) {
      value += row[i] * constants[i];
      magnitude += sizes[i] * Math.abs(constants[i]);
    }
    values.constants[first + r] += value;
    magnitudes.constants[first + r] += magnitude;
  });
}

function takeBends({ columns }: Way, { bends }: BentNode, rows: Rows, { first, values, magnitudes }: Place): void {
  const width = columns.size;
  for (const { unit, jump } of bends) {
    const column = columns.get(unit)!;
    rows.values.forEach((row, r) => {
      const size = rows.magnitudes[r][unit.index];
      if (size === 0) return;
      const at = (first + r) * width + column;
      values.units[at] = row[unit.index] * jump;
      magnitudes.units[at] = size * Math.abs(jump) + FLOOR;
    });
  }
}

function throughSlopes(slopes: Float64Array, { values, magnitudes }: Rows): Rows {
  const sizes = slopes.map(Math.abs);
  const smallest = smallestIn(slopes);
  const times = (row: Float64Array, factors: Float64Array) => {
    const out = new Float64Array(row.length);
    for (let i = 0; i < out.length; i++) if (factors[i] !== 0) out[i] = row[i] * factors[i];
    return out;
  };
  return {
    values: values.map((row) => times(row, slopes)),
    magnitudes: magnitudes.map((row, r) => {
      const out = times(row, sizes);
      if (!mayUnderflow(values[r], row, smallest)) return out;
      return out.map((m, i) => (row[i] === 0 || slopes[i] === 0 ? 0 : m + FLOOR));
    }),
  };
}
