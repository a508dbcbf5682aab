/** The relus of a region over the rationals: h at a point, its forms where every relu has its phase, gradients. */
import type { Pass } from "../../../shared/bounds/pass.ts";
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import { add, type Exact, exact, maximum, multiply, ZERO } from "../../exact/dyadic.ts";
import type { Form } from "../../exact/polytope.ts";
import { combined } from "../../exact/regions.ts";
import { component, type ExactVector, exactVector } from "../../exact/vector.ts";
import { trueColumn } from "../condensed/exact_form.ts";

/** [U + K][n], [U + K][U], [U + K]: the true numbers of a condensed network. */
export interface ExactCondensed {
  readonly features: number;
  readonly width: number;
  readonly inputs: readonly (readonly Exact[])[];
  readonly units: readonly (readonly Exact[])[];
  readonly bias: readonly Exact[];
}

export function exactCondensed(pass: Pass, network: CondensedNetwork): ExactCondensed {
  const { features, units: { length: width }, outputs } = network;
  const inputs = Array.from({ length: features }, (_, input) => trueColumn(pass, network, { input }).value);
  const units = Array.from({ length: width }, (_, unit) => trueColumn(pass, network, { unit }).value);
  const rows = Array.from({ length: width + outputs }, (_, r) => r);
  return {
    features,
    width,
    inputs: rows.map((r) => inputs.map((column) => column[r])),
    units: rows.map((r) => units.map((column) => column[r])),
    bias: trueColumn(pass, network, "constant").value,
  };
}

/** h of every unit at a point: [U]. */
export function heightsAt({ width, inputs, units, bias }: ExactCondensed, point: ExactVector): Exact[] {
  const h: Exact[] = [], r: Exact[] = [];
  for (let u = 0; u < width; u++) {
    let sum = bias[u];
    inputs[u].forEach((w, j) => sum = add(sum, multiply(w, component(point, j))));
    for (let v = 0; v < u; v++) sum = add(sum, multiply(units[u][v], r[v]));
    h.push(sum);
    r.push(maximum(sum, ZERO));
  }
  return h;
}

/** h of every unit as a form of x where relu'(h_v) is pattern_v: [U]. */
export function formsOf({ features, width, inputs, units, bias }: ExactCondensed, pattern: readonly number[]): Form[] {
  const size = features + 1,
    basis = Array.from(
      { length: size },
      (_, j) => exactVector(Array.from({ length: size }, (_, i) => (i === j ? 1 : 0))),
    );
  const forms: Form[] = [];
  for (let u = 0; u < width; u++) {
    const below = forms.map((_, v) => (pattern[v] === 1 ? units[u][v] : ZERO));
    forms.push(combined([...basis, ...forms], [...inputs[u], bias[u], ...below]));
  }
  return forms;
}

/** p of every unit and J, of a row of the outputs, where relu'(h_v) is pattern_v: [U], [n]. */
export function gradientsOf(
  { features, width, inputs, units }: ExactCondensed,
  pattern: readonly number[],
  row: readonly number[],
): { readonly p: readonly Exact[]; readonly J: readonly Exact[] } {
  const p = new Array<Exact>(width).fill(ZERO), J = new Array<Exact>(features).fill(ZERO);
  const factorOf = (r: number) => r >= width ? exact(row[r - width]) : pattern[r] === 1 ? p[r] : ZERO;
  for (let r = width + row.length - 1; r >= 0; r--) {
    const factor = factorOf(r);
    if (factor.numerator === 0n) continue;
    for (let v = 0; v < width; v++) p[v] = add(p[v], multiply(factor, units[r][v]));
    for (let j = 0; j < features; j++) J[j] = add(J[j], multiply(factor, inputs[r][j]));
  }
  return { p, J };
}
