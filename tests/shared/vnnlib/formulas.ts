/** Random properties as trees: their text, and what they say of a point, evaluated without the reader. */
import fc from "fast-check";
import { type Decimal, decimalOf } from "../../../shared/vnnlib/decimal.ts";
import { add, compare, type Exact, multiply, negate, ZERO } from "../../exact/dyadic.ts";

export type Tree = string | readonly Tree[];

export interface Point {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export const INPUTS = 2, OUTPUTS = 3;

/** Few numbers, so that bounds and points meet. */
const NUMBERS = ["-1", "-0.5", "-0.1", "0", "0.1", "0.3", "0.5", "1", "2.5e-1"] as const;
const number = fc.constantFrom(...NUMBERS);
const input = fc.nat(INPUTS - 1).map((i) => `X_${i}`);
const output = fc.nat(OUTPUTS - 1).map((j) => `Y_${j}`);
const relation = fc.constantFrom("<=", ">=");

export const points: fc.Arbitrary<Point> = fc.record({
  inputs: fc.array(number, { minLength: INPUTS, maxLength: INPUTS }),
  outputs: fc.array(number, { minLength: OUTPUTS, maxLength: OUTPUTS }),
});

/** One input against a number, in several dresses. */
const inputConstraint: fc.Arbitrary<Tree> = fc.oneof(
  fc.tuple(relation, input, number),
  fc.tuple(relation, number, input),
  fc.tuple(relation, fc.tuple(fc.constant("+"), input, number), number),
  fc.tuple(relation, fc.tuple(fc.constant("-"), input), number),
  fc.tuple(relation, number, number),
);

const { term } = fc.letrec<{ term: Tree }>((tie) => ({
  term: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    output,
    number,
    fc.tuple(fc.constant("*"), number, tie("term")),
    fc.tuple(fc.constant("*"), tie("term"), number),
    fc.tuple(fc.constant("+"), tie("term"), tie("term"), tie("term")),
    fc.tuple(fc.constant("-"), tie("term"), tie("term")),
    fc.tuple(fc.constant("-"), tie("term")),
  ),
}));

const { formula } = fc.letrec<{ formula: Tree }>((tie) => ({
  formula: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(relation, term, term),
    inputConstraint,
    fc.array(tie("formula"), { minLength: 1, maxLength: 3 }).map((parts): Tree => ["and", ...parts]),
    fc.array(tie("formula"), { minLength: 1, maxLength: 3 }).map((parts): Tree => ["or", ...parts]),
  ),
}));

/** Asserted together: a box for all, and formulas that may narrow it. */
export const properties: fc.Arbitrary<readonly Tree[]> = fc
  .tuple(
    fc.array(fc.tuple(number, number), { minLength: INPUTS, maxLength: INPUTS }),
    fc.array(formula, { maxLength: 3 }),
  )
  .map(([ends, formulas]) => [
    ...ends.flatMap(([a, b], i): Tree[] => [["<=", `X_${i}`, a], [">=", `X_${i}`, b]]),
    ...formulas,
  ]);

export function textOf(tree: Tree): string {
  return typeof tree === "string" ? tree : `(${tree.map(textOf).join(" ")})`;
}

export function propertyText(asserted: readonly Tree[]): string {
  const names = [...namesOf("X", INPUTS), ...namesOf("Y", OUTPUTS)];
  return [
    "; random",
    ...names.map((name) => `(declare-const ${name} Real)`),
    ...asserted.map((tree) => `(assert\n\t${textOf(tree)}) ; )`),
  ].join("\n");
}

function namesOf(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}_${i}`);
}

/** Whether the tree holds at a point. */
export function holds(tree: Tree, point: Point): boolean {
  const [head, ...rest] = tree as readonly Tree[];
  if (head === "and") return rest.every((part) => holds(part, point));
  if (head === "or") return rest.some((part) => holds(part, point));
  const order = compare(valueOf(rest[0], point), valueOf(rest[1], point));
  return head === "<=" ? order <= 0 : order >= 0;
}

function valueOf(tree: Tree, point: Point): Exact {
  if (typeof tree === "string") {
    const variable = /^([XY])_(\d+)$/.exec(tree);
    if (variable === null) return exactOf(decimalOf(tree)!);
    return exactOf(decimalOf((variable[1] === "X" ? point.inputs : point.outputs)[Number(variable[2])])!);
  }
  const [head, ...rest] = tree;
  const values = rest.map((part) => valueOf(part, point));
  if (head === "+") return values.reduce(add, ZERO);
  if (head === "*") return values.reduce(multiply);
  return values.length === 1 ? negate(values[0]) : values.slice(1).reduce((sum, v) => add(sum, negate(v)), values[0]);
}

/** The number as a fraction. */
export function exactOf({ digits, exponent }: Decimal): Exact {
  const scale = 10n ** BigInt(Math.abs(exponent));
  return exponent >= 0
    ? { numerator: digits * scale, exponent: 0, denominator: 1n }
    : { numerator: digits, exponent: 0, denominator: scale };
}
