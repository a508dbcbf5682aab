/** What is exactly true of rows of outputs over all regions of a box. */
import { absolute, add, compare, type Exact, exact, maximum, minimum, negate } from "./dyadic.ts";
import { type Form, maximise, valueAt } from "./polytope.ts";
import { combined, type Ends, type LinearRegion, negative, sidesOf } from "./regions.ts";
import { exactVector } from "./vector.ts";

export interface Range {
  readonly least: Exact;
  readonly most: Exact;
}

export interface Truth {
  /** The largest l1 norm of its gradient. */
  readonly constant: Exact;
  /** Ranges of its derivatives, input by input. */
  readonly derivatives: readonly Range[];
}

/** The constant and the derivatives of a row of outputs over regions, one or more. */
export function truthOf(regions: readonly LinearRegion[], row: readonly number[]): Truth {
  const coefficients = row.map(exact);
  const gradients = regions.map(({ outputs }) => {
    const { numerators, ...rest } = combined(outputs, coefficients);
    return numerators.slice(0, -1).map((numerator) => ({ ...rest, numerator }));
  });
  return {
    constant: gradients.map((gradient) => gradient.map(absolute).reduce(add)).reduce(maximum),
    derivatives: gradients[0].map((_, j) => {
      const values = gradients.map((gradient) => gradient[j]);
      return { least: values.reduce(minimum), most: values.reduce(maximum) };
    }),
  };
}

/** The exact range of a row of outputs over the box. */
export function rangeOf(
  regions: readonly LinearRegion[],
  box: Ends,
  row: readonly number[],
): Range {
  const walls = sidesOf({ lower: exactVector(box.lower), upper: exactVector(box.upper) });
  const coefficients = row.map(exact);
  const largest = (direction: 1 | -1) =>
    regions.reduce<Exact | null>((best, { outputs, cuts, point }) => {
      const form = combined(outputs, coefficients), turned = direction === 1 ? form : negative(form);
      if (best !== null && compare(mostOver(box, turned), best) <= 0) return best;
      const value = valueAt(turned, maximise([...walls, ...cuts], turned, point));
      return best === null ? value : maximum(best, value);
    }, null)!;
  return { least: negate(largest(-1)), most: largest(1) };
}

function mostOver(box: Ends, form: Form): Exact {
  const corner = Array.from(box.lower, (l, j) => form.numerators[j] > 0n ? box.upper[j] : l);
  return valueAt(form, exactVector(corner));
}
