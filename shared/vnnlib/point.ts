/** Points of a box whose ends are decimals. */
import type { Box } from "../numeric/box.ts";
import { compare, type Decimal, decimalOf, roundDown, roundUp, textOf } from "./decimal.ts";
import type { DecimalBox } from "./property.ts";

/** The box of doubles that holds the box. Its ends may be infinite where a number lies beyond the range of doubles. */
export function enclosing({ lower, upper }: DecimalBox): Box {
  return { lower: Float64Array.from(lower, roundDown), upper: Float64Array.from(upper, roundUp) };
}

/** The doubles of the box in every coordinate; where there is none, the one below. */
export function doublesIn({ lower, upper }: DecimalBox): Box {
  const most = Float64Array.from(upper, roundDown);
  return { lower: Float64Array.from(lower, (end, i) => Math.min(roundUp(end), most[i])), upper: most };
}

/** A point of the decimal box as it is written, and the doubles around it. */
export interface Point {
  readonly texts: readonly string[];
  /** Holds the numbers that are written and the doubles nearest to them: what is proved here holds of either reading. */
  readonly cell: Box;
}

/**
 * The point at doubles, written with the digits that tell them apart; a coordinate whose digits lie outside of the box (a
 * double is seldom the number that its shortest digits are) becomes the box's end.
 */
export function pointAt(coordinates: Float64Array, { lower, upper }: DecimalBox): Point {
  const written = Array.from(coordinates, (x, i) => numeral(x, lower[i], upper[i]));
  return {
    texts: written.map(({ text }) => text),
    cell: enclosing({ lower: written.map(({ value }) => value), upper: written.map(({ value }) => value) }),
  };
}

function numeral(x: number, lower: Decimal, upper: Decimal): { text: string; value: Decimal } {
  const text = String(x === 0 ? 0 : x);
  const value = decimalOf(text);
  if (value === null || compare(value, lower) < 0) return { text: textOf(lower), value: lower };
  return compare(value, upper) > 0 ? { text: textOf(upper), value: upper } : { text, value };
}
