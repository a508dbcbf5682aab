/** The body of `POST /v1/certificates/verify`. */
import { z } from "@hono/zod-openapi";
import { Certificate } from "./certificate.ts";
import { ModelReference } from "./question.ts";

export const VerifyRequest = z.strictObject({
  certificate: Certificate,
  model: ModelReference.optional().openapi({
    description: "Absent: the model kept here under the certificate's digest",
  }),
}).openapi("VerifyRequest");
