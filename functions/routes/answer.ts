/** The answer to a question: its certificate where it is known or costs little, else the job that it is. */
import { canonicalBytes, digestOf, LipcertError, PROBLEMS, type ProblemType } from "../../shared/mod.ts";
import type { QuestionRequest } from "../../shared/mod.ts";
import type { Preference } from "../http/prefer.ts";
import { newestId } from "../jobs/event_log.ts";
import { hasEnded, type Job } from "../jobs/job.ts";
import type { CertifyCall, FoundCertificate, IdempotentAnswer, Jobs, Services } from "../services.ts";
import { type GivenModel, readNewModel } from "./given_model.ts";

export interface Asked {
  readonly model: GivenModel;
  readonly request: QuestionRequest;
  /** Told of the end where the question becomes a job. */
  readonly callback: string | null;
}

export interface Wishes extends Preference {
  /** `Idempotency-Key`. */
  readonly key: string | null;
}

/** `isJob`: whether a job was made or met, so that preferences had a say. */
export type QuestionAnswer =
  | { readonly certificate: FoundCertificate; readonly known: boolean; readonly isJob: boolean }
  | { readonly job: Job; readonly isJob: true };

/**
 * Answers a question as its caller would have it. Throws what the engine throws, `idempotency-mismatch`, and the problem that
 * a job has failed with.
 */
export async function answerTo(
  services: Services,
  asked: Asked,
  wishes: Wishes,
  signal: AbortSignal,
): Promise<QuestionAnswer> {
  const { idempotency } = services, { key } = wishes;
  if (key === null || !idempotency) return await ended(services, await ask(services, asked, wishes, signal));
  const { model: { digest }, request, callback } = asked;
  const about = await digestOf(canonicalBytes({ model: digest, request, callback }));
  const before = await idempotency.claim(key, about);
  const replayed = before && await replay(services, before);
  if (replayed) return await ended(services, replayed);
  const answer = await ask(services, asked, wishes, signal);
  const mine = "job" in answer ? { job: answer.job.id } : { certificate: answer.certificate.id };
  const first = await idempotency.keep(key, about, mine);
  const isMine = JSON.stringify(first) === JSON.stringify(mine);
  return await ended(services, (isMine ? null : await replay(services, first)) ?? answer);

  async function ended(services: Services, answer: QuestionAnswer): Promise<QuestionAnswer> {
    if ("certificate" in answer || !services.jobs) return answer;
    return await outcomeOf(services, await waitFor(services.jobs, answer.job, wishes.wait ?? 0, signal));
  }
}

/** What was answered before, as it is now; null where it is gone. */
async function replay({ certificates, jobs }: Services, answer: IdempotentAnswer): Promise<QuestionAnswer | null> {
  if ("job" in answer) {
    const job = await jobs?.get(answer.job) ?? null;
    return job === null ? null : { job, isJob: true };
  }
  const bytes = await certificates.get(answer.certificate);
  return bytes === null ? null : { certificate: { id: answer.certificate, bytes }, known: true, isJob: false };
}

/**
 * The certificate of a question, kept, or its job.
 *
 * A model that comes with its question is kept with the certificate or the job, not before: a question that is refused leaves
 * nothing behind.
 */
async function ask(
  services: Services,
  { model, request, callback }: Asked,
  wishes: Wishes,
  signal: AbortSignal,
): Promise<QuestionAnswer> {
  const { certificates, certifier, models, jobs } = services;
  const newModel = await readNewModel(services, model, signal);
  const result = await certifier.certify({
    digest: model.digest,
    request,
    model: () => model.bytes === null ? models.bytes(model.digest) : Promise.resolve(model.bytes),
    known: (question) => certificates.findByQuestion(question),
    signal,
    ...(jobs && ceilingFor(services, wishes)),
  });
  if (newModel !== null) await models.put(model.digest, newModel.bytes, newModel.description);
  if ("found" in result) return { certificate: result.found, known: true, isJob: false };
  if ("issued" in result) return { certificate: await certificates.put(result.issued), known: false, isJob: false };
  if (!jobs) throw new Error("a question without a ceiling was only priced");
  const { question, priced } = result;
  // A Worker prices sooner than the store answers.
  const found = await certificates.findByQuestion(question);
  if (found !== null) return { certificate: found, known: true, isJob: false };
  const submit = (restart: boolean) => jobs.submit({ question, ...priced, callback, restart });
  const job = await submit(false);
  const isGone = job.status === "succeeded" && await certificates.get(job.certificate_id ?? "") === null;
  return { job: isGone ? await submit(true) : job, isJob: true };
}

function ceilingFor({ limits }: Services, { respondAsync }: Wishes): Pick<CertifyCall, "ceiling"> {
  if (respondAsync) return { ceiling: { flops: 0, bytes: 0 } };
  const { gflop_at_once = limits.gflop, memory_bytes_at_once = limits.memory_bytes } = limits;
  return { ceiling: { flops: gflop_at_once * 1e9, bytes: memory_bytes_at_once } };
}

/** The job when it has ended, or as it is after so many seconds. */
async function waitFor(jobs: Jobs, job: Job, seconds: number, signal: AbortSignal): Promise<Job> {
  if (hasEnded(job) || seconds === 0) return job;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), seconds * 1000);
  try {
    const over = AbortSignal.any([signal, late.signal]);
    for await (const later of jobs.watch(job.id, newestId(job.events), over)) job = later;
    return job;
  } finally {
    clearTimeout(timer);
  }
}

/** What a job came to: its certificate, its problem, or the job while there is neither. */
async function outcomeOf({ certificates }: Services, job: Job): Promise<QuestionAnswer> {
  const { problem, certificate_id } = job;
  if (problem !== null) {
    const { type, title: _, status: __, detail, ...members } = problem;
    const name = type.slice("/problems/".length);
    throw new LipcertError(Object.hasOwn(PROBLEMS, name) ? name as ProblemType : "internal", detail, members);
  }
  const bytes = certificate_id === null ? null : await certificates.get(certificate_id);
  if (certificate_id === null || bytes === null) return { job, isJob: true };
  return { certificate: { id: certificate_id, bytes }, known: true, isJob: true };
}
