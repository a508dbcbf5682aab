/** `POST /v1/certify`: a question in, a certificate or a job out; the same question again gives the same bytes. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { invalidQuery, LipcertError } from "../../shared/errors.ts";
import { digestOf, type QuestionRequest } from "../../shared/mod.ts";
import { parseJson, parseMultipart, readBytes, requireMediaType } from "../http/body.ts";
import { entityTag } from "../http/etag.ts";
import type { Env } from "../http/env.ts";
import { checked } from "../http/issues.ts";
import { type App, operation } from "../http/operation.ts";
import { preferenceApplied, preferenceOf } from "../http/prefer.ts";
import { jobAnswer } from "../jobs/job_answer.ts";
import { problemResponses } from "../schemas/answers.ts";
import { Certificate } from "../schemas/certificate.ts";
import { JobAnswer } from "../schemas/jobs.ts";
import { CertifyForm, CertifyRequest, LATER_OPTIONS, Question } from "../schemas/question.ts";
import type { Services } from "../services.ts";
import { answerTo, type Asked } from "./answer.ts";
import { givenModel } from "./given_model.ts";

const ENCODINGS = ["application/json", "multipart/form-data"] as const;

export function mountCertify(app: App, services: Services): void {
  operation(app, {
    method: "post",
    path: "/v1/certify",
    operationId: "certify",
    summary: "Ask for a certificate",
    description: "A question that may cost more than is answered at once becomes a job, on a host that has jobs.",
    request: {
      headers: z.object({
        "prefer": z.string().optional().openapi({
          description: "respond-async: a job in any case. wait=N: wait N seconds for a job's end. Ignored without jobs",
        }),
        "idempotency-key": z.string().max(MOST_KEY).optional().openapi({
          description: "For a day the same key and question have the same answer, also where time ended a search",
        }),
      }),
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
      202: {
        description: "The job that the question is, at Location",
        content: { "application/json": { schema: JobAnswer } },
      },
      ...problemResponses(
        "malformed-body",
        "not-found",
        "payload-too-large",
        "unsupported-media-type",
        "invalid-query",
        "unsupported-option",
        "over-budget",
        "idempotency-mismatch",
        "unreadable-model",
        "unsupported-operator",
        "unsupported-attribute",
        "shape-mismatch",
        "empty-region",
        "too-many-requests",
        "kernel-failure",
        "model-misread",
        "job-abandoned",
        "queue-unavailable",
        "store-unavailable",
      ),
    },
  }, async (c) => {
    const start = performance.now();
    const asked = await readQuestion(c, services);
    const preference = preferenceOf(services.jobs ? c.req.header("prefer") : undefined);
    const answer = await answerTo(services, asked, { ...preference, key: keyOf(c) }, c.req.raw.signal);
    const applied = answer.isJob ? preferenceApplied(preference) : null;
    const headers: Record<string, string> = applied === null ? {} : { "preference-applied": applied };
    if ("job" in answer) {
      const location = `/v1/jobs/${answer.job.id}`;
      return c.json(jobAnswer(answer.job), 202, { ...headers, location, "cache-control": "no-store" });
    }
    const { certificate, known } = answer;
    return c.body(certificate.bytes, 200, {
      ...headers,
      "content-type": "application/json",
      "content-location": `/v1/certificates/${certificate.id}`,
      "etag": entityTag(certificate.id),
      "server-timing": `certify;dur=${(performance.now() - start).toFixed(3)};desc="${known ? "known" : "new"}"`,
    });
  });
}

/** Characters of an idempotency key. */
const MOST_KEY = 255;

function keyOf(c: Context<Env>): string | null {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return null;
  if (key.length > 0 && key.length <= MOST_KEY) return key;
  throw new LipcertError("invalid-query", `Cannot read Idempotency-Key: it has 1 to ${MOST_KEY} characters`, {
    header: "Idempotency-Key",
  });
}

async function readQuestion(c: Context<Env>, services: Services): Promise<Asked> {
  const encoding = requireMediaType(c, ENCODINGS);
  const bytes = await readBytes(c, services.limits.body_bytes);
  if (encoding === "application/json") {
    const { model, callback_url, ...request } = checked(CertifyRequest, parseJson(bytes), LATER_OPTIONS);
    const callback = callbackOf(services, callback_url);
    return { model: await givenModel(model, "/model"), request: withOutput(request, model.output), callback };
  }
  const parts = await parseMultipart(bytes, c.req.header("content-type") ?? "");
  const model = parts.get("model");
  const query = parts.get("query");
  if (model === undefined) throw invalidQuery("/model", 'part "model" is missing');
  if (query === undefined) throw invalidQuery("/query", 'part "query" is missing');
  for (const name of parts.keys()) {
    if (!Object.hasOwn(CertifyForm.shape, name)) throw invalidQuery(`/${name}`, `part "${name}" is unknown`);
  }
  const { model: named, callback_url, ...request } = checked(Question, parseJson(query), LATER_OPTIONS);
  const callback = callbackOf(services, callback_url);
  const given = { digest: await digestOf(model), bytes: model };
  return { model: given, request: withOutput(request, named?.output), callback };
}

/** Throws `unsupported-option` where nobody is called back from here, `invalid-query` for a URL that cannot be. */
function callbackOf({ jobs, notifier }: Services, url: string | undefined): string | null {
  if (url === undefined) return null;
  const pointer = "/callback_url";
  if (!jobs || !notifier) {
    throw new LipcertError("unsupported-option", "Cannot answer: this host calls nobody back, see /v1/capabilities", {
      errors: [{ pointer, message: "not supported on this host" }],
      options: ["callback_url"],
    });
  }
  const refusal = notifier.refusal(url);
  if (refusal !== null) throw invalidQuery(pointer, refusal);
  return url;
}

function withOutput(request: QuestionRequest, output: string | undefined): QuestionRequest {
  return output === undefined ? request : { ...request, output };
}
