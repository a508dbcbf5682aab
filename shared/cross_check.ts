import { rulesOf } from "./bounds/pass.ts";
import { withRun } from "./bounds/run.ts";
import { LipcertError } from "./errors.ts";
import type { Graph, Node } from "./graph.ts";
import type { Kernels } from "./kernels/kernels.ts";
import type { Model } from "./model.ts";
import { activationAt, steepestAt } from "./witness/plain_activation.ts";
import { outputsAt } from "./witness/prove.ts";

/** An independent forward pass over the model's bytes: for each point the values of each output, by name. */
export type Evaluate = (points: readonly Float64Array[]) => Promise<readonly ReadonlyMap<string, Float64Array>[]>;

/**
 * Compares our reading of a model with another runtime's at a few points.
 *
 * Throws `model-misread` only where the runtime's value lies outside our enclosure of the real value widened by the
 * a-priori error of the runtime's own precision; where that precision overflows, nothing is compared.
 */
export async function crossCheck(model: Model, evaluate: Evaluate, kernels: Kernels): Promise<void> {
  const { outputs } = model.description;
  if (outputs.length === 0) return;
  const points = probes(model.sizes(outputs[0].name).inputSize);
  const found = await evaluate(points);
  for (const { name } of outputs) {
    const graph = model.graph(name);
    const boxes = await withRun([graph], { kernels }, (run) => outputsAt(graph, points, run));
    points.forEach((point, p) => {
      const values = found[p].get(name);
      const errors = forwardError(graph, point, model.inputType);
      if (!values || values.length !== errors.length) {
        throw misread(name, { expected: errors.length, got: values?.length ?? null });
      }
      values.forEach((value, k) => {
        const { [k]: lower } = boxes[p].lower;
        const { [k]: upper } = boxes[p].upper;
        if (!Number.isFinite(errors[k]) || !Number.isFinite(lower) || !Number.isFinite(upper)) return;
        if (value >= lower - errors[k] && value <= upper + errors[k]) return;
        throw misread(name, {
          element: k,
          probe: p,
          ours: [lower, upper],
          runtime: String(value),
          tolerance: errors[k],
        });
      });
    });
  }
}

function misread(output: string, members: Record<string, unknown>): LipcertError {
  return new LipcertError(
    "model-misread",
    `Cannot trust our reading of the model: at a probe point output "${output}" differs from the reference runtime's`,
    { output, ...members },
  );
}

/** Points that every float32 input holds: 0, 1, a ramp in [0, 1] and a ramp of both signs. */
function probes(size: number): Float64Array[] {
  const at = (rule: (i: number) => number) => Float64Array.from({ length: size }, (_, i) => rule(i));
  return [at(() => 0), at(() => 1), at((i) => (i % 17) / 16), at((i) => ((i * 7) % 33) / 16 - 1)];
}

/**
 * A bound of |computed - real| for a forward pass in the given precision, any order of summation, fused or not: per node
 * e_y = |W| e_x + gamma (|W| (|x| + e_x) + |b|) with a generous count of roundings, plus underflow.
 */
function forwardError(graph: Graph, point: Float64Array, precision: "float32" | "float64"): Float64Array {
  const unit = precision === "float32" ? 2 ** -24 : 2 ** -53;
  const tiny = precision === "float32" ? 2 ** -149 : 2 ** -1074;
  const largest = precision === "float32" ? 2 ** 128 : Infinity;
  const steps: StepError[] = [{ values: point, errors: new Float64Array(point.length), magnitude: 0 }];
  for (const node of graph.nodes) {
    if (node.operator === "input") continue;
    const step = stepError(node, node.inputs.map((id) => steps[id]), unit, tiny);
    steps.push(step);
    if (step.magnitude >= largest / 4) return new Float64Array(graph.nodes[graph.nodes.length - 1].size).fill(Infinity);
  }
  return steps[steps.length - 1].errors;
}

interface StepError {
  readonly values: Float64Array;
  readonly errors: Float64Array;
  readonly magnitude: number;
}

/** Roundings beside the sum itself: Gemm's alpha and beta, a bias added apart, a scale that was folded into the matrix. */
const EXTRA_ROUNDINGS = 16;

function stepError(node: Node, inputs: readonly StepError[], unit: number, tiny: number): StepError {
  const rules = rulesOf(node)!;
  const [{ values: x, errors: e }] = inputs;
  const values = rules.kind === "linear"
    ? rules.plain.apply(node, inputs.map((one) => one.values), true)
    : x.map((z, i) => activationAt(node, i, z));
  // Where the piece is not known any of its slopes may be taken: the steepest carries the error.
  const carried = rules.kind === "linear"
    ? rules.plain.reach(node, inputs.map((one) => one.errors))
    : e.map((error, i) => error * steepestAt(node, i));
  const mass = rules.kind === "linear"
    ? rules.plain.reach(node, inputs.map((one) => one.values.map((value, i) => Math.abs(value) + one.errors[i])))
      .map((sum, i) => sum + 8 * Math.abs(rules.offset(node, i)))
    : values.map((value, i) => Math.abs(value) + carried[i]);
  const terms = rules.kind === "linear" ? rules.plain.terms(node, x.length) : 1;
  const errors = carried.map((error, i) => 1.01 * (error + (terms + EXTRA_ROUNDINGS) * unit * mass[i] + terms * tiny));
  return { values, errors, magnitude: mass.reduce((most, value) => Math.max(most, value), 0) };
}
