import type { NodeId } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { rowSumRoundings } from "../numeric/rounding.ts";
import { boxTable, groupTable, type Relaxation, type Step } from "../operators/operator.ts";
import { type Condensed, gatedSum, openIndices } from "./condense.ts";
import type { Pass } from "./pass.ts";
import { chainOf, type Path, underflowBelow } from "./path.ts";
import { stepAt } from "./steps.ts";

/**
 * The walk on the condensed form: rows of M over G meet, layer by layer, the lines of that layer's unstable neurons and
 * their own rows of M, until only the seed is left. Null where the pass or the rows have no condensed form.
 *
 * The same lines and the same boxes as the plain walk give the same bound up to rounding. Source: shared/README.md (14)
 */
export function condensedPath(pass: Pass, target: NodeId, layout: "unit" | "dense", floor: NodeId): Path | null {
  const { nodes } = pass.graph;
  const top = layout === "unit" ? target : nodes[target].inputs[0];
  const start = pass.states[top]?.condensed;
  if (!start || floor !== 0 || (layout === "dense" && nodes[target].operator !== "abs")) return null;
  const steps: Step[] = [];
  let roundings = start.roundings;
  const widths: number[] = [];
  if (layout === "dense") {
    steps.push(stepAt(pass, target), entriesStep(pass, top, start));
    widths.push(nodes[top].size, start.width);
  }
  let widest = paddedLength(layout === "dense" ? nodes[top].size : start.width);
  for (let id = top; id > 1; id -= 2) {
    const here = pass.states[id].condensed!;
    const nearer = pass.states[id - 2].condensed!;
    widest = Math.max(widest, paddedLength(here.width));
    if (here.newest === 0) continue;
    steps.push(layerStep(pass, id - 1, here, nearer));
    widths.push(nearer.width);
  }
  for (const step of steps) roundings += step.coefficientRoundings;
  const boxWidth = nodes[0].size;
  return {
    rows: layout === "dense" ? null : {
      matrix: start.matrix,
      position: start.position,
      constant: () => 0,
      magnitude: (_group, i) => start.mass[start.position(i)],
    },
    startColumns: null,
    startWidth: layout === "dense" ? nodes[top].size : start.width,
    ...chainOf(steps, widths),
    box: pass.run.kernels.upload(boxTable(pass.states[0].boxes, null, boxWidth)),
    boxWidth,
    widest,
    roundings: roundings + 1 + rowSumRoundings(widest) + 2 * steps.length + 4,
    underflow: underflowBelow(pass.groups.length, steps, boxWidth),
  };
}

/** From coefficients over all entries of the last matrix to coefficients over G. */
function entriesStep(pass: Pass, id: NodeId, { matrix, width, mass }: Condensed): Step {
  const { kernels } = pass.run;
  const k = pass.graph.nodes[id].size;
  const packed = kernels.allocate(paddedLength(width) * k);
  kernels.packMatrix({ out: packed, matrix, k, n: width });
  return {
    table: null,
    absorb: { bias: null, q: kernels.upload(sameForAll(pass, mass, k)) },
    scale: null,
    product: { layout: "dense", packed, k, n: width },
    coefficientRoundings: k + 1,
    underflow: new Float64Array(pass.groups.length).fill(k * (gatedSum(pass, id) + 2)),
  };
}

/** What a group is charged for |p|, for M's own error and for later sums: twice the mass (shared/README.md (14)). */
function sameForAll(pass: Pass, mass: ArrayLike<number>, size: number): Float64Array {
  const twice = Float64Array.from({ length: size }, (_, i) => 2 * mass[i]);
  return groupTable(pass.groups.map(() => twice), null, paddedLength(size));
}

/** One layer: the newest columns take their lines, then their rows of the nearer M; the others pass unchanged. */
function layerStep(pass: Pass, product: NodeId, here: Condensed, nearer: Condensed): Step {
  const { kernels } = pass.run;
  const open = openIndices(pass.groups[0].ranges!.get(product)!);
  const [k, n] = [here.width, nearer.width];
  const padded = paddedLength(k);
  const map = new Float64Array(k * paddedLength(n));
  const mass = new Float64Array(k);
  open.forEach((i, u) => {
    const from = nearer.position(i) * paddedLength(n);
    map.set(nearer.host.subarray(from, from + n), u * paddedLength(n));
    mass[u] = nearer.mass[nearer.position(i)];
  });
  for (let j = 0; j < n; j++) map[(open.length + j) * paddedLength(n) + j] = 1;
  const packed = kernels.allocate(paddedLength(n) * k);
  kernels.packMatrix({ out: packed, matrix: kernels.upload(map), k, n });
  const tables = pass.states[product].relaxations!.flatMap((lines) => linesOf(lines, open, k));
  return {
    table: kernels.upload(groupTable(tables, null, padded)),
    absorb: { bias: null, q: kernels.upload(sameForAll(pass, mass, k)) },
    scale: null,
    product: { layout: "dense", packed, k, n },
    coefficientRoundings: k + 1,
    underflow: new Float64Array(pass.groups.length).fill(k * (gatedSum(pass, product + 1) + 2)),
  };
}

/** The lines of the open neurons, and the identity for the columns behind them. */
function linesOf(lines: Relaxation, open: readonly number[], width: number): Float64Array[] {
  return [[lines.lowerSlope, 1], [lines.lowerIntercept, 0], [lines.upperSlope, 1], [lines.upperIntercept, 0]].map(
    ([row, rest]) => {
      const table = new Float64Array(width).fill(rest as number);
      open.forEach((i, u) => table[u] = (row as Float64Array)[i]);
      return table;
    },
  );
}
