/** `POST /v1/certify`: a question in, a certificate out; the same question again gives the same bytes. */
import type { Context } from "hono";
import { invalidQuery } from "../../shared/errors.ts";
import { digestOf, type QuestionRequest } from "../../shared/mod.ts";
import { parseJson, parseMultipart, readBytes, requireMediaType } from "../http/body.ts";
import { entityTag } from "../http/etag.ts";
import { checked } from "../http/issues.ts";
import type { Env } from "../http/env.ts";
import { type App, operation } from "../http/operation.ts";
import { problemResponses } from "../schemas/answers.ts";
import { Certificate } from "../schemas/certificate.ts";
import { CertifyForm, CertifyRequest, LATER_OPTIONS, Question } from "../schemas/question.ts";
import type { FoundCertificate, Services } from "../services.ts";
import { type GivenModel, givenModel, readNewModel } from "./given_model.ts";

const ENCODINGS = ["application/json", "multipart/form-data"] as const;

export function mountCertify(app: App, services: Services): void {
  operation(app, {
    method: "post",
    path: "/v1/certify",
    operationId: "certify",
    summary: "Ask for a certificate",
    request: {
      body: {
        required: true,
        content: {
          "application/json": { schema: CertifyRequest },
          "multipart/form-data": { schema: CertifyForm, encoding: { query: { contentType: "application/json" } } },
        },
      },
    },
    responses: {
      200: { description: "The certificate", content: { "application/json": { schema: Certificate } } },
      ...problemResponses(
        "malformed-body",
        "not-found",
        "payload-too-large",
        "unsupported-media-type",
        "invalid-query",
        "unsupported-option",
        "over-budget",
        "unreadable-model",
        "unsupported-operator",
        "unsupported-attribute",
        "shape-mismatch",
        "empty-region",
        "too-many-requests",
        "kernel-failure",
        "model-misread",
        "store-unavailable",
      ),
    },
  }, async (c) => {
    const start = performance.now();
    const { model, request } = await readQuestion(c, services.limits.body_bytes);
    const { certificate, known } = await certificateFor(services, model, request, c.req.raw.signal);
    return c.body(certificate.bytes, 200, {
      "content-type": "application/json",
      "content-location": `/v1/certificates/${certificate.id}`,
      "etag": entityTag(certificate.id),
      "server-timing": `certify;dur=${(performance.now() - start).toFixed(3)};desc="${known ? "known" : "new"}"`,
    });
  });
}

interface AskedQuestion {
  readonly model: GivenModel;
  readonly request: QuestionRequest;
}

async function readQuestion(c: Context<Env>, limit: number): Promise<AskedQuestion> {
  const encoding = requireMediaType(c, ENCODINGS);
  const bytes = await readBytes(c, limit);
  if (encoding === "application/json") {
    const { model, ...request } = checked(CertifyRequest, parseJson(bytes), LATER_OPTIONS);
    return { model: await givenModel(model, "/model"), request: withOutput(request, model.output) };
  }
  const parts = await parseMultipart(bytes, c.req.header("content-type") ?? "");
  const model = parts.get("model");
  const query = parts.get("query");
  if (model === undefined) throw invalidQuery("/model", 'part "model" is missing');
  if (query === undefined) throw invalidQuery("/query", 'part "query" is missing');
  for (const name of parts.keys()) {
    if (!Object.hasOwn(CertifyForm.shape, name)) throw invalidQuery(`/${name}`, `part "${name}" is unknown`);
  }
  const { model: named, ...request } = checked(Question, parseJson(query), LATER_OPTIONS);
  return { model: { digest: await digestOf(model), bytes: model }, request: withOutput(request, named?.output) };
}

function withOutput(request: QuestionRequest, output: string | undefined): QuestionRequest {
  return output === undefined ? request : { ...request, output };
}

/**
 * The certificate of a question, kept.
 *
 * A model that comes with its question is kept with the certificate, not before: a question that is refused leaves
 * nothing behind.
 */
async function certificateFor(
  services: Services,
  model: GivenModel,
  request: QuestionRequest,
  signal: AbortSignal,
): Promise<{ certificate: FoundCertificate; known: boolean }> {
  const { certificates, certifier, models } = services;
  const newModel = await readNewModel(services, model, signal);
  const result = await certifier.certify({
    digest: model.digest,
    request,
    model: () => model.bytes === null ? models.bytes(model.digest) : Promise.resolve(model.bytes),
    known: (question) => certificates.findByQuestion(question),
    signal,
  });
  if (newModel !== null) await models.put(model.digest, newModel.bytes, newModel.description);
  if ("found" in result) return { certificate: result.found, known: true };
  return { certificate: await certificates.put(result.issued), known: false };
}
