/** `/v1/certificates`: certificates by id, never changed; and their check. */
import { z } from "@hono/zod-openapi";
import { LipcertError } from "../../shared/errors.ts";
import { parseJson, readBytes, requireMediaType } from "../http/body.ts";
import { entityTag, matches } from "../http/etag.ts";
import { checked } from "../http/issues.ts";
import { type App, operation } from "../http/operation.ts";
import { problemResponses, VerifyAnswer } from "../schemas/answers.ts";
import { Certificate } from "../schemas/certificate.ts";
import { Digest } from "../schemas/question.ts";
import { VerifyRequest } from "../schemas/verify.ts";
import type { Services, VerifyCall } from "../services.ts";
import { givenModel } from "./given_model.ts";

export function mountCertificates(app: App, { certificates, certifier, models, limits }: Services): void {
  operation(app, {
    method: "get",
    path: "/v1/certificates/{id}",
    operationId: "getCertificate",
    summary: "Fetch a certificate",
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: { description: "The certificate", content: { "application/json": { schema: Certificate } } },
      304: { description: "Not changed" },
      ...problemResponses("not-found", "store-unavailable"),
    },
  }, async (c) => {
    const id = c.req.param("id") ?? "";
    const bytes = Digest.safeParse(id).success ? await certificates.get(id) : null;
    if (bytes === null) throw new LipcertError("not-found", `Cannot find certificate ${id}`, { what: "certificate" });
    const headers = { "etag": entityTag(id), "cache-control": "public, max-age=31536000, immutable" };
    if (matches(c.req.header("if-none-match"), id)) return c.body(null, 304, headers);
    return c.body(bytes, 200, { ...headers, "content-type": "application/json" });
  });

  operation(app, {
    method: "post",
    path: "/v1/certificates/verify",
    operationId: "verifyCertificate",
    summary: "Check a certificate",
    request: { body: { required: true, content: { "application/json": { schema: VerifyRequest } } } },
    responses: {
      200: {
        description: "Each check by name; valid when all hold",
        content: { "application/json": { schema: VerifyAnswer } },
      },
      ...problemResponses(
        "malformed-body",
        "not-found",
        "payload-too-large",
        "unsupported-media-type",
        "invalid-query",
        "unreadable-model",
        "unsupported-operator",
        "unsupported-attribute",
        "shape-mismatch",
        "over-budget",
        "too-many-requests",
        "kernel-failure",
        "model-misread",
        "store-unavailable",
      ),
    },
  }, async (c) => {
    requireMediaType(c, ["application/json"]);
    const { certificate, model } = checked(VerifyRequest, parseJson(await readBytes(c, limits.body_bytes)));
    const given = model === undefined
      ? { digest: certificate.query.model_digest, bytes: null }
      : await givenModel(model, "/model");
    return c.json(await certifier.verify({ certificate, model: await source(given), signal: c.req.raw.signal }));

    /** A digest that the body names must be kept here; one that only the certificate names may be unknown. */
    async function source({ digest, bytes }: { digest: string | null; bytes: Uint8Array<ArrayBuffer> | null }) {
      if (digest === null) return null;
      const found: VerifyCall["model"] = {
        digest,
        bytes: () => bytes === null ? models.bytes(digest) : Promise.resolve(bytes),
      };
      if (bytes !== null || await models.describe(digest) !== null) return found;
      if (model === undefined) return null;
      throw new LipcertError("not-found", `Cannot find model ${digest}`, { what: "model" });
    }
  });
}
