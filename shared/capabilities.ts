import { SUPPORTED_OPERATORS } from "./onnx/read_model.ts";
import { ENGINE_VERSION } from "./version.ts";

/** What this engine answers, for `GET /v1/capabilities`. Operators come from the translators' registry. */
export function capabilities(): Readonly<Record<string, unknown>> {
  return {
    engine: { name: "lipcert", version: ENGINE_VERSION },
    onnx: {
      opsets: { minimum: 7 },
      element_types: ["float32", "float64"],
      operators: SUPPORTED_OPERATORS,
    },
    properties: ["lipschitz", "jacobian_bounds", "output_bounds", "robustness", "monotonicity"],
    options: {
      relaxation: { values: ["interval", "recurjac", "linear"], default: "linear" },
      preactivation: { values: ["interval", "crown"], default: "crown" },
      arithmetic: { values: ["auto", "f64"], default: "auto" },
    },
    norms: ["linf->linf"],
    arithmetic: [{ kind: "f64-outward", encloses: "the network over the real numbers" }],
    certificate_schema: "lipcert.certificate/1",
  };
}
