/** What is asked: the wire form of the request (api.md) and the resolved question. Wire names are snake_case. */

/** The box as a caller may give it: center and radius (optionally clipped), or its two ends. */
export type RegionRequest =
  | {
    readonly center: readonly number[];
    /** Needed, except where the property is `radius`. */
    readonly radius?: number | readonly number[];
    readonly clip?: readonly [number, number] | readonly (readonly [number, number])[];
  }
  | { readonly lower: readonly number[]; readonly upper: readonly number[] };

/** Outputs by index, or functionals of the outputs by their coefficients; neither means every output. */
export interface Selection {
  readonly outputs?: readonly number[];
  readonly rows?: readonly (readonly number[])[];
}

type RobustnessRequest = { readonly type: "robustness"; readonly label?: number };
type MonotonicityRequest = {
  readonly type: "monotonicity";
  readonly output: number;
  readonly features?: readonly number[];
  readonly direction?: "increasing" | "decreasing";
};

/** What holds or fails over a box. */
export type ClaimRequest =
  | ({ readonly type: "lipschitz"; readonly at_most: number } & Selection)
  | RobustnessRequest
  | MonotonicityRequest;

export type PropertyRequest =
  | ({ readonly type: "lipschitz"; readonly at_most?: number } & Selection)
  | ({ readonly type: "jacobian_bounds" } & Selection)
  | ({ readonly type: "output_bounds" } & Selection)
  | RobustnessRequest
  | MonotonicityRequest
  | {
    readonly type: "radius";
    readonly of: ClaimRequest;
    /** Only where the question is resolved already: a request's region has the center. */
    readonly center?: readonly number[];
    /** The largest radius to try. */
    readonly max: number;
    /** The relative gap at which the bisection ends. */
    readonly gap?: number;
  };

/** What coefficients are computed in; auto: f32 where that pays, redone in f64 where its rounding might be seen. */
export type Arithmetic = "auto" | "f32" | "f64";

/** Branch and bound: how many nodes may be bounded, the relative gap at which it stops, and the time that it may take. */
export interface SearchLimits {
  readonly max_nodes: number;
  readonly gap: number;
  /** Milliseconds from the question's start; the bounds of one pass are always made. Absent: as long as it takes. */
  readonly time_ms?: number;
  /** Every part that is bounded is recorded in the certificate. Absent: none is. */
  readonly record?: true;
}

export interface OptionsRequest {
  readonly relaxation?: "interval" | "recurjac" | "linear";
  readonly preactivation?: "interval" | "crown";
  readonly arithmetic?: Arithmetic;
  /** Absent: the bounds of one pass. Answered for `lipschitz`. */
  readonly search?: Partial<Omit<SearchLimits, "record">> & { readonly record?: boolean };
}

/** The question of a request, without the model's bytes. */
export interface QuestionRequest {
  readonly output?: string;
  readonly region: RegionRequest;
  readonly property: PropertyRequest;
  readonly options?: OptionsRequest;
}

/** A question with every default resolved and the region as a box of doubles: what the certificate's `query` shows. */
export interface Query {
  readonly model_digest: string;
  readonly output: string;
  readonly region: { readonly lower: readonly number[]; readonly upper: readonly number[] };
  readonly property: Property;
  readonly options: Options;
}

/** Outputs by index, or rows of coefficients over all of them. */
export type Chosen = { readonly outputs: readonly number[] } | { readonly rows: readonly (readonly number[])[] };

type Robustness = { readonly type: "robustness"; readonly label: number };
type Monotonicity = {
  readonly type: "monotonicity";
  readonly output: number;
  readonly features: readonly number[];
  readonly direction?: "increasing" | "decreasing";
};

export type Claim =
  | ({ readonly type: "lipschitz"; readonly at_most: number } & Chosen)
  | Robustness
  | Monotonicity;

/** The properties that are claims: they hold or fail over a box. */
export const CLAIMS: readonly Claim["type"][] = ["lipschitz", "robustness", "monotonicity"];

/** The relative gap of a radius that is not told one, and the least that may be asked for. */
export const DEFAULT_RADIUS_GAP = 1e-3;
export const LEAST_RADIUS_GAP = 1e-6;

/** A question about one box. */
export type PlainProperty =
  | ({ readonly type: "lipschitz"; readonly at_most?: number } & Chosen)
  | ({ readonly type: "jacobian_bounds" } & Chosen)
  | ({ readonly type: "output_bounds" } & Chosen)
  | Robustness
  | Monotonicity;

/** The region of a question about a radius is the box of the largest one: a smaller one's box is cut out of it. */
export type Property =
  | PlainProperty
  | {
    readonly type: "radius";
    readonly of: Claim;
    readonly center: readonly number[];
    readonly max: number;
    readonly gap: number;
  };

/** What is asked of each box: the property itself, or the one whose radius is asked for. */
export function plainOf(property: Property): PlainProperty {
  return property.type === "radius" ? property.of : property;
}

export interface Options {
  readonly relaxation: "interval" | "recurjac" | "linear";
  readonly preactivation: "interval" | "crown";
  readonly arithmetic: Arithmetic;
  /** Present where a search was asked for. */
  readonly search?: SearchLimits;
}
