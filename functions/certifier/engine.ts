/** The engine's calls as the service makes them: the same on a Deno Worker and inside a Cloudflare isolate. */
import {
  type Budget,
  canonicalBytes,
  type Certificate,
  certify,
  type Check,
  checkBudget,
  type Clock,
  costOf,
  type Distribute,
  type Kernels,
  LipcertError,
  type Model,
  type ModelDescription,
  type Query,
  questionOf,
  resolveQuery,
  verify,
  type VerifyReport,
} from "../../shared/mod.ts";
import type { CertifyCall, CertifyResult, KeptCertificate, VerifyCall } from "../services.ts";
import { continued } from "./checkpoints.ts";
import type { ModelCache } from "./model_cache.ts";

export interface Engine {
  readonly models: ModelCache;
  readonly kernels: Kernels;
  readonly budget: Budget;
  /** For questions that limit their time; absent: they are refused. */
  readonly clock?: Clock;
  /** Absent where there are no threads. */
  readonly distribute?: Distribute;
  readonly threads?: number;
  /** Compares our reading of a new model with another runtime's; throws `model-misread`. Absent where there is none. */
  readonly crossCheck?: (model: Model, bytes: Uint8Array) => Promise<void>;
}

/** Reads a model that was not seen before; one that is misread is not kept. Throws what `readModel` throws. */
export async function describeModel(engine: Engine, digest: string, bytes: Uint8Array): Promise<ModelDescription> {
  const model = await engine.models.read(digest, bytes);
  try {
    await engine.crossCheck?.(model, bytes);
  } catch (cause) {
    engine.models.drop(digest);
    throw cause;
  }
  return model.description;
}

/** Resolves a question, and answers it unless its certificate is known or it may cost more than the call's ceiling. */
export async function answerQuestion(engine: Engine, call: CertifyCall): Promise<CertifyResult> {
  const { kernels, budget, clock = null, distribute, threads } = engine;
  const model = await engine.models.get(call.digest, call.model);
  const query = await resolveQuery(call.request, model, kernels);
  const question = await questionOf(query);
  const found = await call.known(question);
  if (found !== null) return { question, found };
  const estimated = costOf(model.graph(query.output), query, threads);
  checkBudget(estimated, budget);
  if (call.ceiling && exceeds(estimated, call.ceiling)) return { question, priced: { query, estimated } };
  const host = { kernels, clock, ...(distribute && { distribute, threads }) };
  const heard = { ...watched(call), ...continued(call) };
  const certificate = await certify(model, query, { question, ...host, ...stoppable(call), ...heard });
  return { question, issued: kept(certificate) };
}

function exceeds(cost: Budget, ceiling: Budget): boolean {
  return cost.flops > ceiling.flops || cost.bytes > ceiling.bytes;
}

function stoppable({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function watched({ finish, onSearch }: CertifyCall): Pick<CertifyCall, "finish" | "onSearch"> {
  return { ...(finish && { finish }), ...(onSearch && { onSearch }) };
}

function kept(certificate: Certificate): KeptCertificate {
  const { id, question, reproducible, method } = certificate;
  const interrupted = ["time", "memory", "canceled"].includes(method.search.stopped_by);
  return { id, question, reproducible, ...(interrupted && { interrupted }), bytes: canonicalBytes(certificate) };
}

/**
 * Checks a certificate, on its model where that is at hand.
 *
 * A certificate comes from anywhere: before its points are replayed, its question must be one that the model can be
 * asked, with every default resolved.
 */
export async function checkCertificate(engine: Engine, call: VerifyCall): Promise<VerifyReport> {
  const model = call.model === null ? null : await engine.models.get(call.model.digest, call.model.bytes);
  if (model !== null && model.digest === call.certificate.query.model_digest) {
    const query = await checkQuery(engine, call.certificate.query, model);
    if (!query.ok) {
      const { checks } = await verify(call.certificate, null, { kernels: engine.kernels });
      return { valid: false, checks: [query, ...checks] };
    }
  }
  return await verify(call.certificate, model, { kernels: engine.kernels, ...stoppable(call) });
}

async function checkQuery({ kernels }: Engine, query: Query, model: Model): Promise<Check> {
  const name = "query";
  try {
    const resolved = await resolveQuery(query, model, kernels);
    const ok = decoder.decode(canonicalBytes(resolved)) === decoder.decode(canonicalBytes(query));
    return { name, ok, detail: ok ? "the model can be asked this" : "a default of the question is not resolved" };
  } catch (error) {
    if (error instanceof LipcertError) return { name, ok: false, detail: error.message };
    throw error;
  }
}

const decoder = new TextDecoder();
