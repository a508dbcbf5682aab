/** `/v1/models`: a model is read once and kept under the digest of its bytes. */
import { LipcertError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/mod.ts";
import { entityTag, matches } from "../http/etag.ts";
import { readBytes, requireMediaType } from "../http/body.ts";
import { type App, operation } from "../http/operation.ts";
import { ModelAnswer, problemResponses } from "../schemas/answers.ts";
import { Digest, ModelPath } from "../schemas/question.ts";
import type { Services } from "../services.ts";
import { z } from "@hono/zod-openapi";

const answer = { content: { "application/json": { schema: ModelAnswer } } };

export function mountModels(app: App, { models, certifier, limits }: Services): void {
  operation(app, {
    method: "post",
    path: "/v1/models",
    operationId: "createModel",
    summary: "Keep a model",
    request: {
      body: {
        required: true,
        content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
      },
    },
    responses: {
      201: { description: "Read and kept", ...answer },
      200: { description: "Kept already", ...answer },
      ...problemResponses(
        "unsupported-media-type",
        "model-too-large",
        "unreadable-model",
        "unsupported-operator",
        "unsupported-attribute",
        "shape-mismatch",
        "over-budget",
        "too-many-requests",
        "model-misread",
        "store-unavailable",
      ),
    },
  }, async (c) => {
    requireMediaType(c, ["application/octet-stream"]);
    const bytes = await readBytes(c, limits.body_bytes, "model-too-large");
    const digest = await digestOf(bytes);
    const location = { location: `/v1/models/${digest}` };
    const known = await models.describe(digest);
    if (known !== null) return c.json({ digest, ...known }, 200, location);
    const description = await certifier.describe(digest, bytes, c.req.raw.signal);
    await models.put(digest, bytes, description);
    return c.json({ digest, ...description }, 201, location);
  });

  operation(app, {
    method: "get",
    path: "/v1/models/{digest}",
    operationId: "getModel",
    summary: "Describe a model",
    request: { params: ModelPath },
    responses: {
      200: { description: "The model", ...answer },
      304: { description: "Not changed" },
      ...problemResponses("not-found", "store-unavailable"),
    },
  }, async (c) => {
    const digest = c.req.param("digest") ?? "";
    const description = Digest.safeParse(digest).success ? await models.describe(digest) : null;
    if (description === null) throw new LipcertError("not-found", `Cannot find model ${digest}`, { what: "model" });
    const headers = { etag: entityTag(digest), "cache-control": "public, max-age=31536000, immutable" };
    if (matches(c.req.header("if-none-match"), digest)) return c.body(null, 304, headers);
    return c.json({ digest, ...description }, 200, headers);
  });
}
