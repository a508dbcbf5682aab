/** The body of `POST /v1/certificates/verify`. */
import { z } from "@hono/zod-openapi";
import { ModelReference } from "./question.ts";

export const VerifyRequest = z.strictObject({
  certificate: z.looseObject({}).openapi({ description: "The certificate as it was issued" }),
  model: ModelReference.optional().openapi({
    description: "Absent: the model kept here under the certificate's digest",
  }),
}).openapi("VerifyRequest");
