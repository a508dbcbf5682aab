import type { SearchRecord } from "./search_record.ts";

/** What a property found: plain JSON, as the certificate shows it (snake_case). A bound that overflowed is null. */

export type Verdict = "certified" | "refuted" | "unknown";

/** Why a verdict is unknown. */
export type Reason = "overflow" | "bounds-too-loose";

/** Which combination of outputs an entry speaks of: an output by index, or a row of the question by position. */
export type Target = { readonly output: number } | { readonly row: number };

export type LipschitzFinding = {
  readonly type: "lipschitz";
  readonly norm: "linf->linf";
  readonly upper: number | null;
  readonly lower: number;
  readonly gap: number | null;
  readonly exact: boolean;
  readonly outputs: readonly (Target & { readonly upper: number | null; readonly lower: number })[];
  /** The point at which `lower` is proved. */
  readonly witness: Target & { readonly point: readonly number[] };
};

export type JacobianFinding = {
  readonly type: "jacobian_bounds";
  readonly outputs: readonly (Target & {
    readonly lower: readonly (number | null)[];
    readonly upper: readonly (number | null)[];
  })[];
};

export type OutputsFinding = {
  readonly type: "output_bounds";
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
};

export type RobustnessFinding = {
  readonly type: "robustness";
  readonly label: number;
  readonly margins: readonly { readonly output: number; readonly lower: number | null }[];
  /** A point of the region where another output is proved larger than the label's. */
  readonly counterexample: readonly number[] | null;
};

export type Direction = "increasing" | "decreasing" | "constant" | "neither" | "unknown";

export type MonotonicityFinding = {
  readonly type: "monotonicity";
  readonly output: number;
  readonly features: readonly {
    readonly feature: number;
    readonly direction: Direction;
    readonly lower: number | null;
    readonly upper: number | null;
    /** Points where the derivative is proved negative, then positive: those that were found. */
    readonly witnesses: readonly (readonly number[])[];
    /** Of a searched feature that is unknown: the share of the box's volume, at most 1, over which its sign may be open. */
    readonly unproved?: number;
  }[];
};

/** Points that prove a claim false in every box that holds them: with the output or row, or the feature they speak of. */
export type Refutation =
  & { readonly points: readonly (readonly number[])[] }
  & (Target | { readonly feature: number } | Readonly<Record<never, never>>);

export type RadiusFinding = {
  readonly type: "radius";
  readonly of: "lipschitz" | "robustness" | "monotonicity";
  /** The claim holds at every radius up to here; null: at none that is proved. */
  readonly certified: number | null;
  /** The claim fails at every radius from here on; null: at none that is proved. */
  readonly refuted: number | null;
  /** (refuted - certified) / refuted; 0 where the claim holds up to the largest radius or fails at the center. */
  readonly gap: number | null;
  readonly witness: Refutation | null;
  /** Radii that were tried. */
  readonly steps: number;
  /**
   * unknown: both edges are as near as the gap asks to radii at which the answer is unknown. time, canceled: the host ended
   * the searches of the claim, and no further radius was tried.
   */
  readonly stopped_by: "gap" | "unknown" | "steps" | "time" | "canceled";
};

export type Finding =
  | LipschitzFinding
  | JacobianFinding
  | OutputsFinding
  | RobustnessFinding
  | MonotonicityFinding
  | RadiusFinding;

/** The answer to a question before it becomes a certificate. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly reason: Reason | null;
  readonly finding: Finding;
  /** What a search did; absent where none was asked for. */
  readonly search?: SearchReport;
  /** Absent where none was asked for. */
  readonly record?: SearchRecord;
  /** Of a claim that is refuted: each alone refutes it. No part of a certificate. */
  readonly refutations?: readonly Refutation[];
}

export interface SearchReport {
  /** Nodes that were bounded, and those left open whose bounds could still lower the answer. */
  readonly nodes: number;
  readonly open: number;
  /**
   * none: no search was asked for. closed: nothing that is left could change the answer. record: it holds no more. time,
   * canceled and memory: the host ended it, so the certificate is not reproducible.
   */
  readonly stopped_by: "none" | "closed" | "gap" | "max_nodes" | "record" | "time" | "canceled" | "memory";
  /** How many parts were searched apart, each told now and then what the others had proved (absent: one). */
  readonly parts?: number;
}

/** Whether the question alone decided the steps of a search and its end: then it has them on every host that lets it. */
export function isReproducible(search: SearchReport): boolean {
  return search.parts === undefined && !isInterrupted(search);
}

/** Whether a host ended a search. */
export function isInterrupted({ stopped_by }: SearchReport): boolean {
  return stopped_by === "time" || stopped_by === "canceled" || stopped_by === "memory";
}

/** JSON knows no infinity: a bound that is not finite is null. */
export function finiteOrNull(bound: number): number | null {
  return Number.isFinite(bound) ? bound : null;
}

/** The verdict where no claim was made: certified iff every bound asked for is finite. */
export function verdictOfBounds(bounds: Iterable<number>): Pick<Outcome, "verdict" | "reason"> {
  for (const bound of bounds) if (!Number.isFinite(bound)) return { verdict: "unknown", reason: "overflow" };
  return { verdict: "certified", reason: null };
}
