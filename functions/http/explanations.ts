import type { ProblemType } from "../../shared/errors.ts";

/** What each problem means and what the caller can do; the text of `/problems/{name}`. */
export const EXPLANATIONS: Readonly<Record<ProblemType, string>> = {
  "malformed-body":
    "The body is not JSON in UTF-8, or not multipart/form-data with each part once. Where the parser names the place, byte_offset holds it. JSON has no NaN and no Infinity.",
  "unauthorized": "This host asks for a key. Send it as Authorization: Bearer.",
  "forbidden": "The key is good and the thing belongs to somebody else.",
  "not-found":
    "No model, certificate, job or page has this name here. Models and certificates are named by their digest; a host may forget them. Send the model again with POST /v1/models.",
  "method-not-allowed": "The path exists and does not take this method. The header Allow lists those it takes.",
  "payload-too-large": "The body is longer than this host reads; limit_bytes holds the limit.",
  "model-too-large": "The ONNX file is longer than this host reads; limit_bytes holds the limit.",
  "unsupported-media-type": "The body's Content-Type is not read here; supported lists those that are.",
  "invalid-query":
    "The body is JSON and does not say what it should. errors points at each wrong place with a JSON pointer: a member that is missing, unknown, of the wrong type or length, or out of range.",
  "unsupported-option":
    "The option belongs to the contract and this version does not have it yet. GET /v1/capabilities lists what there is.",
  "idempotency-mismatch":
    "The Idempotency-Key was sent with another question within the last day. A key belongs to one question: send a new key, or the question it was first sent with.",
  "over-budget":
    "The cost of the question is known before it runs, and it is more than this host may spend, at once or as a job; the members hold the estimated and the allowed figures. Ask for fewer outputs, a cheaper relaxation, or another host.",
  "unreadable-model":
    "The bytes are not an ONNX model that can be read: truncated, damaged, with external data, or with a graph that does not hold together. byte_offset or node says where.",
  "unsupported-operator": "The model has an operator that lipcert cannot bound; supported lists those it can.",
  "unsupported-attribute":
    "The model has a supported operator in a form that is not: an attribute, a type or a wiring.",
  "shape-mismatch": "Shapes in the model, or of a constant and its data, do not fit together.",
  "empty-region": "The box holds no point: a lower end lies above its upper end, or the clip leaves nothing.",
  "too-many-requests": "Too many questions are waiting. Retry-After says when to try again.",
  "model-misread":
    "Our reading of the model and an independent runtime's disagree at a point by more than rounding allows. No certificate is issued for such a model; it is a defect on our side.",
  "kernel-failure":
    "A computation ended abnormally. The service is alive; the request id finds the failure in its log.",
  "job-abandoned":
    "The processes that ran the job ended without a word, time after time. Its question may need more memory than the host has. Asked again, the job begins anew.",
  "internal": "A defect on our side. The request id finds the failure in the log.",
  "queue-unavailable":
    "The question is a job, and the node that takes the jobs of this host does not. Try again later; smaller questions are answered as ever.",
  "store-unavailable": "The store of models and certificates cannot be reached. Try again later.",
};
