import { MAX_MODEL_BYTES, MAX_TENSOR_ELEMENTS, MIN_OPSET } from "./onnx/limits.ts";
import { SUPPORTED_OPERATORS } from "./onnx/read_model.ts";
import { CLAIMS, DEFAULT_RADIUS_GAP, LEAST_RADIUS_GAP } from "./query.ts";
import {
  DEFAULT_NODES,
  MOST_NODES,
  MOST_RECORDED_NODES,
  MOST_RECORDED_NUMBERS,
  MOST_TIME_MS,
} from "./search/limits.ts";
import { ENGINE_VERSION } from "./version.ts";

/** The values an option may take and the one it takes when it is not given. */
export interface OptionValues {
  readonly values: readonly string[];
  readonly default: string;
}

/** What a search may be told; without the option there is none. */
export interface SearchValues {
  readonly max_nodes: { readonly default: number; readonly maximum: number };
  readonly gap: { readonly default: number };
  /** No default: without it a search takes the time that it takes. */
  readonly time_ms: { readonly maximum: number };
  /** Whether every part is recorded: then with fewer nodes, and to so many numbers. */
  readonly record: { readonly default: boolean; readonly max_nodes: number; readonly numbers: number };
}

export interface Capabilities {
  readonly engine: { readonly name: string; readonly version: string };
  readonly onnx: {
    readonly opsets: { readonly minimum: number };
    readonly element_types: readonly string[];
    readonly operators: typeof SUPPORTED_OPERATORS;
  };
  readonly properties: readonly string[];
  /** The properties whose radius can be asked for, and how near its two ends may be brought. */
  readonly radius: {
    readonly of: readonly string[];
    readonly gap: { readonly default: number; readonly minimum: number };
  };
  readonly norms: readonly string[];
  readonly options: Readonly<Record<"relaxation" | "preactivation" | "arithmetic", OptionValues>> & {
    readonly search: SearchValues;
  };
  readonly arithmetic: readonly { readonly kind: string; readonly encloses: string }[];
  readonly certificate_schema: string;
  /** Limits of the engine; a host adds its own. */
  readonly limits: Readonly<Record<string, number>>;
}

/** What this engine answers, for `GET /v1/capabilities`. The operators are those of the translators' registry. */
export function capabilities(): Capabilities {
  return {
    engine: { name: "lipcert", version: ENGINE_VERSION },
    onnx: { opsets: { minimum: MIN_OPSET }, element_types: ["float32", "float64"], operators: SUPPORTED_OPERATORS },
    properties: ["lipschitz", "jacobian_bounds", "output_bounds", "robustness", "monotonicity", "radius"],
    radius: { of: CLAIMS, gap: { default: DEFAULT_RADIUS_GAP, minimum: LEAST_RADIUS_GAP } },
    norms: ["linf->linf"],
    options: {
      relaxation: { values: ["interval", "recurjac", "linear"], default: "linear" },
      preactivation: { values: ["interval", "crown"], default: "crown" },
      arithmetic: { values: ["auto", "f32", "f64"], default: "auto" },
      search: {
        max_nodes: { default: DEFAULT_NODES, maximum: MOST_NODES },
        gap: { default: 0 },
        time_ms: { maximum: MOST_TIME_MS },
        record: { default: false, max_nodes: MOST_RECORDED_NODES, numbers: MOST_RECORDED_NUMBERS },
      },
    },
    arithmetic: [
      { kind: "f64-outward", encloses: "the network over the real numbers" },
      { kind: "f32-outward", encloses: "the network over the real numbers" },
    ],
    certificate_schema: "lipcert.certificate/1",
    limits: { model_bytes: MAX_MODEL_BYTES, tensor_elements: MAX_TENSOR_ELEMENTS },
  };
}
