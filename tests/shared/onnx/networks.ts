/** Small models for the tests of single operators. */
import {
  buildModel,
  declare,
  type Dimension,
  floats,
  type FloatType,
  ints,
  type NodeInit,
  type TensorInit,
} from "../../models/build.ts";

export interface SmallNetwork {
  readonly input: readonly Dimension[];
  readonly nodes: readonly NodeInit[];
  /** Float initialisers: shape and values. */
  readonly floats?: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>;
  /** Integer initialisers: shape and values. */
  readonly ints?: Readonly<Record<string, readonly [readonly number[], readonly (number | bigint)[]]>>;
  readonly tensors?: readonly TensorInit[];
  /** Declared output shape; as many symbols as dimensions if not given. */
  readonly output?: readonly Dimension[];
  readonly outputType?: FloatType;
  readonly type?: FloatType;
  readonly opset?: number;
}

/** Bytes of the model; its input is x, its output y. */
export function smallNetwork(network: SmallNetwork): Uint8Array<ArrayBuffer> {
  const { type = "float64", opset = 13 } = network;
  const initializer = [
    ...Object.entries(network.floats ?? {}).map(([name, [shape, values]]) => floats(name, shape, values, type)),
    ...Object.entries(network.ints ?? {}).map(([name, [shape, values]]) => ints(name, shape, values)),
    ...network.tensors ?? [],
  ];
  const output = declare("y", network.output ?? [], network.outputType ?? type);
  if (network.output === undefined && output.type?.value?.case === "tensorType") {
    output.type.value.value.shape = undefined;
  }
  return buildModel({
    node: [...network.nodes],
    initializer,
    input: [declare("x", network.input, type)],
    output: [output],
  }, opset);
}

/** `length` numbers that look random and are the same in every run: k / 8 with small k, never 0. */
export function numbers(length: number, shift = 0): number[] {
  return Array.from({ length }, (_, i) => ((((i + shift) * 37 + 11) % 31) - 15.5) / 8);
}
