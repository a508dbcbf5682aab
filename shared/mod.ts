/** The face of the engine: model and question in, certificate out. */
export { type Capabilities, capabilities } from "./capabilities.ts";
export { canonicalBytes, digestOf } from "./certificate/canonical.ts";
export { type Certificate, questionOf } from "./certificate/certificate.ts";
export type { Finding, Verdict } from "./certificate/finding.ts";
export { crossCheck, type Evaluate } from "./cross_check.ts";
export { type Checkpoint, packCheckpoint, unpackCheckpoint } from "./checkpoint.ts";
export { certify, type CertifyContext, resolveQuery } from "./certify.ts";
export { type Budget, checkBudget, costOf } from "./cost.ts";
export {
  invalidQuery,
  LipcertError,
  type PointedMessage,
  type ProblemMembers,
  PROBLEMS,
  type ProblemType,
} from "./errors.ts";
export type { Kernels } from "./kernels/kernels.ts";
export { type Model, readModel } from "./model.ts";
export type { ModelDescription } from "./onnx/read_model.ts";
export type { OptionsRequest, PropertyRequest, Query, QuestionRequest, RegionRequest } from "./query.ts";
export { ENGINE_VERSION } from "./version.ts";
export { type Distribute, type Distributed, expanderFor, type PlainProblem } from "./search/distribute.ts";
export type { Conduct, Conducted, SavedSearch } from "./search/conduct.ts";
export { cut, join } from "./search/saved.ts";
export type { Clock } from "./search/limits.ts";
export type { Progress as SearchProgress } from "./search/loop.ts";
export type { Piece } from "./search/piece.ts";
export type { Expansion } from "./search/tree.ts";
export { type Check, verify, type VerifyReport } from "./verify.ts";
export {
  type Answer,
  type AnswerOptions,
  answerProperty,
  type Counterexample,
  PROPERTY_NODES,
} from "./vnnlib/answer.ts";
export { type Counterexamples, MAX_PROPERTY_BYTES, readProperty } from "./vnnlib/property.ts";
