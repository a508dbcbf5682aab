/** What is answered. These schemas document; the engine makes the values. */
import { z } from "@hono/zod-openapi";
import { PROBLEMS, type ProblemType } from "../../shared/errors.ts";

const Tensor = z.object({ name: z.string(), shape: z.array(z.unknown()) }).openapi("Tensor");

export const ModelAnswer = z.object({
  digest: z.string(),
  inputs: z.array(Tensor),
  outputs: z.array(Tensor),
  operators: z.unknown(),
  opset: z.int(),
  parameters: z.int(),
  activations: z.int(),
}).openapi("Model");

export const VerifyAnswer = z.object({
  valid: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
}).openapi("Verification");

export const CapabilitiesAnswer = z.looseObject({ limits: z.looseObject({}) }).openapi("Capabilities");

export const HealthAnswer = z.object({ status: z.literal("ok") }).openapi("Health");

export const ProblemAnswer = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  request_id: z.string(),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
}).openapi("Problem");

/** The `responses` entries of the problems an operation may answer with, one a status. */
export function problemResponses(...types: ProblemType[]) {
  const titles = new Map<number, string[]>();
  for (const type of ["internal", ...types] satisfies ProblemType[]) {
    const { status } = PROBLEMS[type];
    titles.set(status, [...titles.get(status) ?? [], type]);
  }
  return Object.fromEntries(
    [...titles].map(([status, names]) => [status, {
      description: names.join(", "),
      content: { "application/problem+json": { schema: ProblemAnswer } },
    }]),
  );
}
