/** What is wrong with a condensed network: nothing, if its numbers and bounds keep what they promise. */
import type { Pass } from "../../../shared/bounds/pass.ts";
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import type { Graph, NodeId } from "../../../shared/graph.ts";
import {
  absolute,
  add,
  compare,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  maximum,
  multiply,
  sign,
  subtract,
  ZERO,
} from "../../exact/dyadic.ts";
import { evaluate, jacobianRow, type Phases } from "../../exact/network.ts";
import { isActivation } from "../../exact/pieces.ts";
import type { Random } from "../../exact/random.ts";
import { component, exactMatrix } from "../../exact/vector.ts";
import { bendsOf, type Column, dot, trueColumn } from "./exact_form.ts";

/** The units are all bends and no others, in an order in which each follows what it depends on. */
export function falseUnits(
  { graph, states }: Pass,
  { units, rank, unitWeights, unitMagnitudes }: CondensedNetwork,
): string[] {
  const wrong: string[] = [];
  const key = (activation: NodeId, index: number, kink: number) => `${activation}:${index} at ${kink + 0}`;
  const wanted = graph.nodes.flatMap((node, id) => {
    if (!isActivation(node)) return [];
    const { lower, upper } = states[node.inputs[0]].boxes[0];
    return Array.from(lower, (l, i) => bendsOf(node, i, l, upper[i]).bends.map(({ kink }) => key(id, i, kink))).flat();
  });
  const found = units.map(({ activation, index, kink }) => key(activation, index, kink));
  if (JSON.stringify(found.toSorted()) !== JSON.stringify(wanted.toSorted())) {
    wrong.push(`units ${found} for ${wanted}`);
  }
  units.forEach((_, u) => {
    if (u > 0 && rank[u] < rank[u - 1]) wrong.push(`rank of unit ${u} falls`);
    units.forEach((_, v) => {
      const at = u * units.length + v;
      if (rank[v] >= rank[u] && (unitWeights[at] !== 0 || unitMagnitudes[at] !== 0)) wrong.push(`unit ${u} reads ${v}`);
    });
  });
  return wrong;
}

/** Every number of the chosen columns is within its radius of the true one, and its magnitude above those of its terms. */
export function falseNumbers(pass: Pass, network: CondensedNetwork, columns: readonly Column[]): string[] {
  const wrong: string[] = [];
  for (const column of columns) {
    const { value, magnitude } = trueColumn(pass, network, column);
    value.forEach((real, r) => {
      const { stored, size } = entryAt(network, r, column);
      const place = `row ${r} of column ${JSON.stringify(column)}`;
      const off = absolute(subtract(real, exact(stored)));
      if (!isAtMost(off, network.error * size)) wrong.push(`${place}: ${stored}`);
      if (!isAtMost(magnitude[r], size) || Math.abs(stored) > size) wrong.push(`magnitude of ${place}: ${size}`);
    });
  }
  return wrong;
}

function entryAt(network: CondensedNetwork, r: number, column: Column): { stored: number; size: number } {
  const { features, units, inputWeights, unitWeights, bias, inputMagnitudes, unitMagnitudes, biasMagnitudes } = network;
  if (column === "constant") return { stored: bias[r], size: biasMagnitudes[r] };
  const isInput = "input" in column;
  const at = isInput ? r * features + column.input : r * units.length + column.unit;
  const [values, sizes] = isInput ? [inputWeights, inputMagnitudes] : [unitWeights, unitMagnitudes];
  return { stored: values[at], size: sizes[at] };
}

export function columnsOf({ features, units }: CondensedNetwork): Column[] {
  return [
    "constant",
    ...Array.from({ length: features }, (_, input) => ({ input })),
    ...units.map((_, unit) => ({ unit })),
  ];
}

/** At a point of the box the rows give the network's own h and outputs, within the radius and within the bounds. */
export function falseValues(graph: Graph, network: CondensedNetwork, point: Float64Array): string[] {
  const { units, outputs, features, lower, upper, error } = network, count = units.length;
  const values = evaluate(graph, point);
  const h = [
    ...units.map(({ activation, index, kink }) =>
      subtract(component(values[graph.nodes[activation].inputs[0]], index), exact(kink))
    ),
    ...Array.from({ length: outputs }, (_, k) => component(values.at(-1)!, k)),
  ];
  const x = Array.from(point, exact), relus = h.slice(0, count).map((one) => maximum(one, ZERO));
  const sizes = [...x.map(absolute), ...relus, exact(1)], terms = [...x, ...relus, exact(1)];
  return h.flatMap((real, r) => {
    const row = (inputs: Float64Array, over: Float64Array, constants: Float64Array) =>
      [...inputs.subarray(r * features, (r + 1) * features), ...over.subarray(r * count, (r + 1) * count), constants[r]]
        .map(exact);
    const stored = dot(row(network.inputWeights, network.unitWeights, network.bias), terms);
    const mass = dot(row(network.inputMagnitudes, network.unitMagnitudes, network.biasMagnitudes), sizes);
    const wrong: string[] = [];
    if (compare(absolute(subtract(stored, real)), multiply(exact(error), mass)) > 0) wrong.push(`value of row ${r}`);
    if (!isAtLeast(real, lower[r]) || !isAtMost(real, upper[r])) wrong.push(`bounds of row ${r}`);
    return wrong;
  });
}

/** The gradient of one output where each relu has the slope 0 or 1 at random, by columns, within what the radii add up to. */
export function falseGradients(pass: Pass, network: CondensedNetwork, output: number, random: Random): string[] {
  const { units, features, outputs } = network, count = units.length;
  const pattern = units.map(() => random.integer(0, 1));
  const real = jacobianRow(
    pass.graph,
    phasesOf(pass, network, pattern),
    Array.from({ length: outputs }, (_, k) => (k === output ? 1 : 0)),
  );
  const p = units.map(() => ZERO), off = units.map(() => ZERO);
  const J = Array.from({ length: features }, () => ZERO), offJ = J.map(() => ZERO);
  const spread = (r: number, factor: Exact, slack: Exact) => {
    const through = (to: Exact[], offs: Exact[], columnOf: (j: number) => Column) =>
      to.forEach((known, j) => {
        const { stored, size } = entryAt(network, r, columnOf(j));
        to[j] = add(known, multiply(factor, exact(stored)));
        // |a b - a' b'| <= |a - a'| |b'| + |a| |b - b'| with |b'| at most the magnitude.
        const radius = multiply(absolute(factor), exact(network.error * size));
        offs[j] = add(offs[j], add(radius, multiply(slack, exact(size))));
      });
    through(p, off, (unit) => ({ unit }));
    through(J, offJ, (input) => ({ input }));
  };
  spread(count + output, exact(1), ZERO);
  for (let u = count - 1; u >= 0; u--) {
    if (pattern[u] === 1 && sign(add(absolute(p[u]), off[u])) > 0) spread(u, p[u], off[u]);
  }
  return J.flatMap((value, j) =>
    compare(absolute(subtract(value, component(real, j))), offJ[j]) > 0 ? [`gradient ${j} of output ${output}`] : []
  );
}

/** The derivative of every neuron where its units have these slopes. */
function phasesOf({ graph, states }: Pass, { units }: CondensedNetwork, pattern: readonly number[]): Phases {
  const phases = new Map<NodeId, ReturnType<typeof exactMatrix>>();
  graph.nodes.forEach((node, id) => {
    if (!isActivation(node)) return;
    const { lower, upper } = states[node.inputs[0]].boxes[0];
    phases.set(
      id,
      exactMatrix(Float64Array.from(lower, (l, i) => {
        const { line, bends } = bendsOf(node, i, l, upper[i]);
        const on = (kink: number) =>
          pattern[units.findIndex((one) => one.activation === id && one.index === i && one.kink === kink)] === 1;
        // One bend: one of two slopes. Two (a clip): 0 and then 1 - 1, each apart.
        if (bends.length === 1) return on(bends[0].kink) ? bends[0].above : bends[0].below;
        return bends.reduce((slope, { kink, above, below }) => slope + (on(kink) ? above - below : 0), line.slope);
      })),
    );
  });
  return phases;
}
