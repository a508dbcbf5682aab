/** Networks whose radii are known, and questions about them. */
import type { RadiusFinding } from "../../../shared/certificate/finding.ts";
import type { Certificate } from "../../../shared/certificate/certificate.ts";
import { certify, type Model, type PropertyRequest, resolveQuery } from "../../../shared/mod.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import type { Graph } from "../../../shared/graph.ts";
import type { OptionsRequest, RegionRequest } from "../../../shared/query.ts";

/** x [1] -> w1 x + b1 [h] -> relu -> w2 . [outputs]. */
export function shallow(w1: number[], b1: number[], w2: number[][], b2: number[]): Graph {
  return {
    nodes: [
      { operator: "input", inputs: [], size: 1, name: "x" },
      {
        operator: "affine",
        inputs: [0],
        size: w1.length,
        name: "h",
        weights: Float64Array.from(w1),
        bias: Float64Array.from(b1),
      },
      { operator: "relu", inputs: [1], size: w1.length, name: "a" },
      {
        operator: "affine",
        inputs: [2],
        size: w2.length,
        name: "y",
        weights: Float64Array.from(w2.flat()),
        bias: Float64Array.from(b2),
      },
    ],
  };
}

/** [1, |x|]: label 0 holds around 0 up to 1, exclusive. */
export const MARGIN = shallow([1, -1], [0, 0], [[0, 0], [1, 1]], [1, 0]);

/** x + 3 relu(x - 1) for x > -8: the slope is 1 up to 1, then 4. */
export const BEND = shallow([1, 1], [8, -1], [[1, 3]], [-8]);

/** x - 3 relu(x - 1) for x > -8: rises up to 1, then falls. */
export const TURN = shallow([1, 1], [8, -1], [[1, -3]], [-8]);

/** [0.7, x_0 / 2^30 + 2^30 x_1]: around [2^27, 0] the doubles of x_0 lie 2^-25 apart, and label 0 fails from 5.4e-10 on. */
export const FAR: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 2, name: "x" },
    {
      operator: "affine",
      inputs: [0],
      size: 2,
      name: "y",
      weights: Float64Array.of(0, 0, 2 ** -30, 2 ** 30),
      bias: Float64Array.of(0.7, 0),
    },
  ],
};

export type Asked = Certificate & { readonly finding: RadiusFinding };

export async function askRadius(
  model: Model,
  region: RegionRequest,
  property: Extract<PropertyRequest, { type: "radius" }>,
  kernels: Kernels,
  options: OptionsRequest = {},
): Promise<Asked> {
  const query = await resolveQuery({ region, property, options }, model, kernels);
  const certificate = await certify(model, query, { kernels });
  if (certificate.finding.type !== "radius") {
    throw new TypeError(`a radius was expected, not ${certificate.finding.type}`);
  }
  return { ...certificate, finding: certificate.finding };
}
