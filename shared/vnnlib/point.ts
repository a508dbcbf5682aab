/** Points of a box whose ends are decimals: doubles inside it, or an end as it is written where no double is. */
import type { Box } from "../numeric/box.ts";
import { type Decimal, roundDown, roundUp, textOf } from "./decimal.ts";
import type { DecimalBox } from "./property.ts";

/** The box of doubles that holds the box. Its ends may be infinite where a number lies beyond the range of doubles. */
export function enclosing({ lower, upper }: DecimalBox): Box {
  return { lower: Float64Array.from(lower, roundDown), upper: Float64Array.from(upper, roundUp) };
}

/** A point of the decimal box, and the box of doubles that holds it: itself, but where a coordinate is no double. */
export interface Point {
  readonly texts: readonly string[];
  readonly cell: Box;
}

/** The doubles of the box, coordinate by coordinate; where there is none, the doubles around its lower end. */
export interface Doubles {
  readonly box: Box;
  /** The point with the given coordinates, out of `box`. */
  pointAt(coordinates: Float64Array): Point;
}

export function doublesIn({ lower, upper }: DecimalBox): Doubles {
  const box = { lower: Float64Array.from(lower, roundUp), upper: Float64Array.from(upper, roundDown) };
  const written = new Map<number, Decimal>();
  lower.forEach((end, i) => {
    if (box.lower[i] <= box.upper[i]) return;
    written.set(i, end);
    box.lower[i] = box.upper[i] = roundDown(end);
  });
  return {
    box,
    pointAt(coordinates) {
      const cell = { lower: coordinates.slice(), upper: coordinates.slice() };
      const texts = Array.from(coordinates, (x) => String(x === 0 ? 0 : x));
      for (const [i, end] of written) {
        cell.lower[i] = roundDown(end);
        cell.upper[i] = roundUp(end);
        texts[i] = textOf(end);
      }
      return { texts, cell };
    },
  };
}
