/** Add, Sub, Mul, Div and Neg. */
import { exactly, exactProduct, exactQuotient, exactSum } from "../exact.ts";
import { pick } from "../forward_nodes.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { sumOfViews } from "./branches.ts";
import { aligned, selectedView } from "../selection.ts";
import { broadcast, broadcastIndices, checkedCount, count, sameShape, type Shape } from "../shapes.ts";
import { checkIntegers, floatsOf, type OnnxNode, required, type Translator } from "../translator.ts";
import type { FloatTensor, IntegerTensor, Value, View } from "../value.ts";

type ArithmeticName = "Add" | "Sub" | "Mul" | "Div";

const NOTES: Record<ArithmeticName, string> = {
  Add: "of two tensors or with a constant",
  Sub: "of two tensors or with a constant",
  Mul: "with a constant on either side",
  Div: "by a constant without zeros",
};

export const arithmetic: readonly Translator[] = (["Add", "Sub", "Mul", "Div"] as const).map((operator) => ({
  operator,
  notes: NOTES[operator],
  attributes: [],
  inputs: [2, 2],
  translate: (node: OnnxNode) => [combine(operator, required(node, 0), required(node, 1), node)],
}));

function combine(name: ArithmeticName, a: Value, b: Value, node: OnnxNode): Value {
  const { place } = node;
  const shape = broadcast(a.shape, b.shape);
  if (shape === null) {
    throw shapeProblem(place, `shapes [${a.shape}] and [${b.shape}] do not broadcast`, a.shape, b.shape);
  }
  checkedCount(shape, place);
  if (a.kind === "view" && b.kind === "view") {
    if (name === "Add" || name === "Sub") return sumOfViews(a, b, name === "Add" ? 1 : -1, shape, node);
    throw problemAt(place, `${name} of two tensors that both depend on the input is not supported`);
  }
  if (a.kind === "view") {
    return withConstant(name, a, floatsOf(b, a.type, "the other operand", place), shape, false, node);
  }
  if (b.kind === "view") {
    return withConstant(name, b, floatsOf(a, b.type, "the other operand", place), shape, true, node);
  }
  if (a.kind === "integers" && b.kind === "integers") return foldIntegers(name, a, b, shape, node);
  if (a.kind === "floats") return foldFloats(name, a, floatsOf(b, a.type, "the other operand", place), shape, node);
  throw problemAt(place, "the operands have different element types", "shape-mismatch");
}

/** view ∘ constant, or constant ∘ view when `constantFirst`, as a shift or a scale of the node behind the view. */
function withConstant(
  name: ArithmeticName,
  view: View,
  constant: FloatTensor,
  shape: Shape,
  constantFirst: boolean,
  node: OnnxNode,
): View {
  const { place, forward } = node;
  if (name === "Div" && constantFirst) {
    throw problemAt(place, "division by a tensor that depends on the input is not supported");
  }
  if (name === "Div" && constant.elements.includes(0)) throw problemAt(place, "the divisor holds a zero");
  let target = view;
  if (!sameShape(view.shape, shape)) {
    forward.spend(count(shape), place);
    const spread = selectedView(view, shape, broadcastIndices(view.shape, shape), forward, place);
    target = forward.materialize(spread, place);
  }
  const { view: whole, inNodeOrder } = aligned(target, forward, place);
  const inOrder = inNodeOrder(broadcastTo(constant, shape, node));
  const label = String(place.node);
  const at = { size: inOrder.length, name: label };
  let id = whole.node;
  if (name === "Sub" && constantFirst) {
    id = forward.add({ ...at, operator: "scale", inputs: [id], factors: inOrder.map(() => -1), inverse: false });
  }
  if (name === "Add" || name === "Sub") {
    const offsets = name === "Sub" && !constantFirst ? inOrder.map((element) => -element) : inOrder;
    id = forward.add({ ...at, operator: "shift", inputs: [id], offsets });
  } else {
    id = forward.add({ ...at, operator: "scale", inputs: [id], factors: inOrder, inverse: name === "Div" });
  }
  return { ...whole, node: id };
}

export const neg: Translator = {
  operator: "Neg",
  notes: "on floats",
  attributes: [],
  inputs: [1, 1],
  translate(node) {
    const { place, forward } = node;
    const value = required(node, 0);
    if (value.kind === "integers") throw problemAt(place, "Neg of integers is not supported");
    if (value.kind === "floats") {
      forward.spend(value.elements.length, place);
      return [{ ...value, elements: value.elements.map((element) => -element) }];
    }
    const size = forward.nodes[value.node].size;
    forward.spend(size, place);
    const factors = new Float64Array(size).fill(-1);
    const at = { inputs: [value.node], size, name: String(place.node) };
    return [{ ...value, node: forward.add({ ...at, operator: "scale", factors, inverse: false }) }];
  },
};

function broadcastTo(constant: FloatTensor, shape: Shape, { forward, place }: OnnxNode): Float64Array {
  forward.spend(2 * count(shape), place);
  const indices = broadcastIndices(constant.shape, shape);
  return pick(constant.elements, indices);
}

const FLOAT_RULES: Record<ArithmeticName, (a: number, b: number) => number | null> = {
  Add: exactSum,
  Sub: (a, b) => exactSum(a, -b),
  Mul: exactProduct,
  Div: (a, b) => b === 0 ? null : exactQuotient(a, b),
};

/** Folds two float constants where no result rounds: the network over the reals stays the same function. */
function foldFloats(name: ArithmeticName, a: FloatTensor, b: FloatTensor, shape: Shape, node: OnnxNode): FloatTensor {
  const left = broadcastTo(a, shape, node);
  const right = broadcastTo(b, shape, node);
  const elements = exactly(left.length, (i) => FLOAT_RULES[name](left[i], right[i]));
  if (elements === null) throw problemAt(node.place, `${name} of two constants cannot be folded without rounding`);
  return { ...a, shape, elements };
}

const INTEGER_RULES: Record<ArithmeticName, (a: bigint, b: bigint) => bigint> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

function foldIntegers(
  name: ArithmeticName,
  a: IntegerTensor,
  b: IntegerTensor,
  shape: Shape,
  node: OnnxNode,
): IntegerTensor {
  const { place, forward } = node;
  if (a.type === "bool" || a.type !== b.type) {
    throw problemAt(place, "the operands have different element types", "shape-mismatch");
  }
  checkIntegers(count(shape), place);
  forward.spend(3 * count(shape), place);
  const left = broadcastIndices(a.shape, shape);
  const right = broadcastIndices(b.shape, shape);
  if (name === "Div" && b.elements.includes(0n)) throw problemAt(place, "the divisor holds a zero");
  const bits = a.type === "int64" ? 64 : 32;
  const elements = BigInt64Array.from(left, (from, i) => {
    const result = INTEGER_RULES[name](a.elements[from], b.elements[right[i]]);
    if (BigInt.asIntN(bits, result) !== result) throw problemAt(place, `${name} of two constants overflows ${a.type}`);
    return result;
  });
  return { ...a, shape, elements };
}
