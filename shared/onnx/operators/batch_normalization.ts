/** BatchNormalization at inference: y = (x - mean) scale / sqrt(variance + epsilon) + B, channel by channel. */
import { problemAt, shapeProblem } from "../problem.ts";
import { aligned } from "../selection.ts";
import { count } from "../shapes.ts";
import { floatsOf, type OnnxNode, required, type Translator } from "../translator.ts";

/**
 * Roundings of a factor: the sum, its root (which halves the sum's error) and the quotient, each to nearest, make
 * |real / stored - 1| < 2.5 u + O(u^2) < gamma_3; one more is margin.
 */
const FACTOR_ROUNDINGS = 4;

const LEAST_NORMAL = 2 ** -1022;

export const batchNormalization: Translator = {
  operator: "BatchNormalization",
  notes: "at inference, all parameters constant",
  attributes: ["epsilon", "momentum", "spatial", "training_mode"],
  inputs: [5, 5],
  translate(node) {
    const { place, forward, attributes } = node;
    if (attributes.integer("training_mode", 0) !== 0) {
      throw problemAt(place, "BatchNormalization in training mode is not supported");
    }
    if (attributes.integer("spatial", 1) !== 1) {
      throw problemAt(place, "statistics for every position are not supported");
    }
    const value = required(node, 0);
    if (value.kind !== "view") throw problemAt(place, "BatchNormalization of a constant is not supported");
    if (value.shape.length < 2) {
      throw shapeProblem(place, "there is no channel dimension", "rank 2 or more", value.shape);
    }
    const channels = value.shape[1];
    const [scale, offset, mean, variance] = [1, 2, 3, 4].map((index) => {
      const { shape, elements } = floatsOf(required(node, index), value.type, `input ${index}`, place);
      if (shape.length !== 1 || shape[0] !== channels) {
        throw shapeProblem(place, `input ${index} has another size than the channels`, channels, shape);
      }
      return elements;
    });
    const factors = factorsOf(node, scale, variance, attributes.float("epsilon", Math.fround(1e-5)));
    const { view, inNodeOrder } = aligned(value, forward, place);
    const size = count(value.shape);
    forward.spend(6 * size, place);
    const area = count(value.shape.slice(2));
    const perElement = (numbers: Float64Array) =>
      inNodeOrder(Float64Array.from({ length: size }, (_, i) => numbers[Math.floor(i / area) % channels]));
    const at = { size, name: String(place.node) };
    const centred = forward.add({
      ...at,
      operator: "shift",
      inputs: [view.node],
      offsets: perElement(mean.map((element) => -element)),
    });
    const scaled = forward.add({
      ...at,
      operator: "scale",
      inputs: [centred],
      factors: perElement(factors),
      inverse: false,
      roundings: FACTOR_ROUNDINGS,
    });
    const id = forward.add({ ...at, operator: "shift", inputs: [scaled], offsets: perElement(offset) });
    return [{ ...view, node: id }];
  },
};

/** scale / sqrt(variance + epsilon) to nearest; exactly 0 for a scale of 0. */
function factorsOf(node: OnnxNode, scale: Float64Array, variance: Float64Array, epsilon: number): Float64Array {
  return scale.map((factor, channel) => {
    const sum = variance[channel] + epsilon;
    const stored = factor / Math.sqrt(sum);
    // Below the normal numbers (and beyond the largest) the error is no longer relative.
    const sound = sum >= LEAST_NORMAL && sum < Infinity &&
      (factor === 0 || (Math.abs(stored) >= LEAST_NORMAL && Math.abs(stored) < Infinity));
    if (!sound) {
      throw problemAt(
        node.place,
        `channel ${channel} cannot be normalized: its factor is out of range`,
        "unsupported-attribute",
        {
          channel,
          variance: variance[channel],
          scale: factor,
        },
      );
    }
    return stored;
  });
}
