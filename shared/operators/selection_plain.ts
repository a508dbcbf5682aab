import type { SelectionNode } from "../graph.ts";
import type { PlainLinear } from "./operator.ts";

/** A selection in plain floating point: it moves values (exact), or adds up what was taken from one place when transposed. */
export const selectionPlain: PlainLinear<SelectionNode> = {
  apply: ({ map, transposed, size }, [x]) => transposed ? scatter(map, x, size) : gather(map, x),
  pullBack: ({ map, transposed }, p, _k, size) => transposed ? gather(map, p) : scatter(map, p, size),
  reach: ({ map, transposed, size }, [m]) => transposed ? scatter(map, m, size) : gather(map, m),
  terms: ({ transposed }, inputSize) => transposed ? inputSize : 0,
  magnitude: (node) => node,
  pullBackRoundings: (node) => mostReaders(node),
  smallestFactor: () => Infinity,
};

/** The node that carries p through a selection: the same map, read the other way. */
export function selectionAdjoint({ name, map, transposed }: SelectionNode, inputSize: number) {
  return { operator: "selection", size: inputSize, name: `${name}'`, map, transposed: !transposed } as const;
}

/** y_i = x_{map_i}, 0 for a map of -1. */
function gather(map: Int32Array, x: Float64Array): Float64Array {
  const y = new Float64Array(map.length);
  for (let i = 0; i < map.length; i++) if (map[i] >= 0) y[i] = x[map[i]];
  return y;
}

/** y_j = sum of the p_i with map_i = j. */
function scatter(map: Int32Array, p: Float64Array, size: number): Float64Array {
  const y = new Float64Array(size);
  for (let i = 0; i < map.length; i++) if (map[i] >= 0) y[map[i]] += p[i];
  return y;
}

/** How many rows read one column at most. */
export function mostReaders({ map, transposed }: SelectionNode): number {
  if (transposed) return 1;
  const readers = new Map<number, number>();
  let most = 1;
  for (const from of map) {
    const count = (readers.get(from) ?? 0) + 1;
    readers.set(from, count);
    if (from >= 0 && count > most) most = count;
  }
  return most;
}
