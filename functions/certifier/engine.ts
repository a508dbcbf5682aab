/** The engine's calls as the service makes them: the same on a Deno Worker and inside a Cloudflare isolate. */
import {
  type Budget,
  canonicalBytes,
  type Certificate,
  certify,
  type Kernels,
  type Model,
  type ModelDescription,
  questionOf,
  resolveQuery,
  verify,
  type VerifyReport,
} from "../../shared/mod.ts";
import type { CertifyCall, CertifyResult, KeptCertificate, VerifyCall } from "../services.ts";
import type { ModelCache } from "./model_cache.ts";

export interface Engine {
  readonly models: ModelCache;
  readonly kernels: Kernels;
  readonly budget: Budget;
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

/** Resolves a question, and answers it unless its certificate is known. */
export async function answerQuestion(engine: Engine, call: CertifyCall): Promise<CertifyResult> {
  const model = await engine.models.get(call.digest, call.model);
  const query = await resolveQuery(call.request, model, engine.kernels);
  const question = await questionOf(query);
  const found = await call.known(question);
  if (found !== null) return { question, found };
  const { kernels, budget } = engine;
  const certificate = await certify(model, query, { kernels, budget, ...stoppable(call) });
  return { question, issued: kept(certificate) };
}

function stoppable({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function kept(certificate: Certificate): KeptCertificate {
  const { id, question, reproducible } = certificate;
  return { id, question, reproducible, bytes: canonicalBytes(certificate) };
}

/** Checks a certificate, on its model where that is at hand. */
export async function checkCertificate(engine: Engine, call: VerifyCall): Promise<VerifyReport> {
  const model = call.model === null ? null : await engine.models.get(call.model.digest, call.model.bytes);
  return await verify(call.certificate, model, { kernels: engine.kernels, ...stoppable(call) });
}
