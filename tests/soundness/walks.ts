/**
 * Walks of the engine over one network, recorded and held against their exact replay.
 *
 * Four facts a row: the claim is at most the bound proved from the same slopes; the radius paid is at least gamma of each
 * matrix's own roundings times its own exact magnitude; the magnitudes charged for a matrix are at least the exact ones; and
 * the boxes the proof starts from hold the exact values of every node.
 */
import type { Graph, NodeId } from "../../shared/graph.ts";
import type { Kernels, Precision } from "../../shared/kernels/kernels.ts";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { BoundOptions, Pass } from "../../shared/bounds/pass.ts";
import { lowerBounds, type RowSet } from "../../shared/bounds/walk.ts";
import { jacobianGroups } from "../../shared/jacobian/jacobian_bounds.ts";
import { differentiate, withAbs } from "../../shared/jacobian/differentiate.ts";
import { add, compare, type Exact, exact, multiply, subtract, toNumber, ZERO } from "../exact/dyadic.ts";
import { evaluate, phasesAt, unitRow } from "../exact/network.ts";
import { Random } from "../exact/random.ts";
import { boundNetwork, runOn } from "./bounds.ts";
import { falseNodeBoxes, gradientValues } from "./node_boxes.ts";
import { type RecordedCall, RecordingKernels } from "./recorder.ts";
import { replayRow } from "./replay.ts";
import { center, type Region } from "./samples.ts";

const UNIT_ROUNDOFF = { f64: -53, f32: -24 };
/** Magnitudes that underflow are charged apart, step by step. */
const NEGLIGIBLE: Exact = { numerator: 1n, exponent: -1000, denominator: 1n };
/** The engine pays this factor on magnitudes that were summed in doubles. */
const INFLATION: Exact = { numerator: 2n ** 20n + 1n, exponent: -20, denominator: 1n };

/** Violations of the four facts over the outputs, the norms and some entries; `claims` counts what was compared. */
export async function falseWalks(
  backend: Kernels,
  graph: Graph,
  box: Region,
  options: BoundOptions,
): Promise<{ readonly found: string[]; readonly claims: number }> {
  const kernels = new RecordingKernels(backend);
  return await kernels.scope(async () => {
    const run = runOn(kernels, graph);
    const found: string[] = [];
    let claims = 0;
    const compareRows = async (pass: Pass, target: NodeId, set: RowSet, starts: readonly ArrayLike<number>[]) => {
      await kernels.take();
      const bounds = await lowerBounds(pass, target, set);
      const calls = await kernels.take();
      const totals = calls.at(-1)!;
      bounds.forEach((bound, r) => {
        if (!Number.isFinite(bound)) return;
        const replayed = replayRow(pass, target, starts[r], set.groups[r], r, calls);
        if (replayed === null) return;
        claims++;
        const { bound: proved, layers } = replayed;
        const name = `row ${r} of ${graph.nodes.length} nodes at ${target}`;
        if (compare(exact(bound), proved) > 0) found.push(`${name}: claimed ${bound}, proved ${toNumber(proved)}`);
        const radius = subtract(exact(totals.constantsAfter[r]), exact(bound));
        // Rows that start as rows of a matrix are exact there: the first product is one matrix further down.
        const gathered = layers.length - calls.filter(({ kind }) => kind === "product").length;
        const paid = layers.slice(gathered).reduce(
          (sum, layer) => add(sum, multiply(gamma(layer.roundings, kernels.precision), layer.magnitude)),
          ZERO,
        );
        if (compare(radius, paid) < 0) found.push(`${name}: radius ${toNumber(radius)} below ${toNumber(paid)}`);
        chargesOf(calls, layers.length, r).forEach((charge, i) => {
          const least = layers[i].magnitude;
          if (compare(charge, least) >= 0) return;
          found.push(`${name}: magnitudes of matrix ${i} ${toNumber(charge)} below ${toNumber(least)}`);
        });
      });
    };

    const forward = await boundNetwork(graph, box, options.refine, run);
    const outputs = graph.nodes.at(-1)!.size, last = graph.nodes.length - 1;
    const seeds = Array.from({ length: Math.min(outputs, 3) }, (_, k) => Float64Array.from(unitRow(outputs, k)));
    const signed = seeds.flatMap((seed) => [seed, seed.map((c) => -c)]);
    await compareRows(forward, last, dense(signed, signed.map(() => 0)), signed);

    const gradient = withAbs(differentiate(graph)), norm = gradient.nodes.length - 1;
    const groups = jacobianGroups(forward, gradient, seeds);
    const backward = await boundGraph(gradient, groups, options, run);
    const inputs = graph.nodes[0].size;
    const ones = seeds.map(() => new Float64Array(inputs).fill(-1));
    await compareRows(backward, norm, dense(ones, seeds.map((_, g) => g)), ones);
    // A row of one value of a feature map walks on the windows that it depends on; here all columns are followed.
    const followed = graph.nodes.some(({ operator }) => operator === "convolution") ? [] : seeds;
    const entries = followed.flatMap((_, group) =>
      [0, inputs - 1].flatMap((index) => [1, -1].map((sign) => ({ group, index, sign })))
    );
    if (entries.length > 0) {
      await compareRows(
        backward,
        norm - 1,
        {
          groups: Int32Array.from(entries, ({ group }) => group),
          start: {
            layout: "unit",
            indices: Int32Array.from(entries, ({ index }) => index),
            signs: Int32Array.from(entries, ({ sign }) => sign),
          },
        },
        entries.map(({ index, sign }) => unitRow(inputs, index).map((c) => c * sign)),
      );
    }

    const random = new Random(inputs, outputs);
    for (const point of [center(box), Float64Array.from(box.lower), Float64Array.from(box.upper)]) {
      const values = evaluate(graph, point);
      found.push(...falseNodeBoxes(graph, (id) => forward.states[id].boxes[0], values));
      const inward = point.map((x, j) => x === box.upper[j] ? -random.between(0.5, 1) : random.between(0.5, 1));
      const phases = phasesAt(graph, values, inward);
      if (phases === null) continue;
      seeds.forEach((seed, g) => {
        const exactGradient = gradientValues(gradient, phases, seed);
        found.push(...falseNodeBoxes(gradient, (id) => backward.states[id].boxes[g], exactGradient));
      });
    }
    return { found, claims };
  });
}

/**
 * What each matrix of a walk added to the magnitudes of a row, inflated as the engine inflates it.
 *
 * The call that charges a matrix comes right before its product; rows that start as rows of a matrix bring its charge along.
 */
function chargesOf(calls: readonly RecordedCall[], layers: number, row: number): Exact[] {
  const pay = (after: number, before: number) =>
    add(NEGLIGIBLE, subtract(multiply(INFLATION, exact(after)), exact(before)));
  const charges = calls.flatMap(({ kind }, i) => {
    const charging = calls[i - 1];
    return kind === "product" ? [pay(charging.magnitudesAfter[row], charging.magnitudesBefore[row])] : [];
  });
  return charges.length < layers ? [pay(calls[0].magnitudesBefore[row], 0), ...charges] : charges;
}

function dense(rows: readonly Float64Array[], groups: readonly number[]): RowSet {
  return {
    groups: Int32Array.from(groups),
    start: { layout: "dense", coefficients: Float64Array.from(rows.flatMap((row) => Array.from(row))) },
  };
}

/** n u from below: gamma_n is larger, and what it adds is far below the inflation that the engine pays. */
function gamma(roundings: number, precision: Precision): Exact {
  return multiply(exact(roundings), { numerator: 1n, exponent: UNIT_ROUNDOFF[precision], denominator: 1n });
}
