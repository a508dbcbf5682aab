/** `/openapi.json`, generated from the schemas that check bodies, and `/docs`, which asks nobody else for a file. */
import { capabilities } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { DOCS_SECURITY_POLICY } from "../http/middleware.ts";
import type { App } from "../http/operation.ts";
import type { Assets } from "../services.ts";

const DESCRIPTION = "Certificates for neural networks: local Lipschitz constants, Jacobian and output bounds, " +
  "robustness, monotonicity, and the radius up to which one of them holds. Inputs are flat arrays, row-major, without the batch dimension.";

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>lipcert API</title>` +
  `<link rel="stylesheet" href="/docs/swagger-ui.css"><div id="ui"></div>` +
  `<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#ui", validatorUrl: null });`;

const FILES = { "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css" } as const;

export function mountDocuments(app: App, assets: Assets): void {
  let document: string | null = null;

  app.get("/openapi.json", (c) => {
    document ??= JSON.stringify(app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "lipcert", version: capabilities().engine.version, description: DESCRIPTION },
      servers: [{ url: "/" }],
    }));
    return c.body(document, 200, { "content-type": "application/json" });
  });

  app.get("/docs", (c) => c.html(PAGE, 200, { "content-security-policy": DOCS_SECURITY_POLICY }));
  app.get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript" }));
  for (const [name, type] of Object.entries(FILES) as [keyof typeof FILES, string][]) {
    app.get(`/docs/${name}`, async (c) => {
      const bytes = await assets.read(name);
      if (bytes === null) throw new LipcertError("not-found", `Cannot find ${name} on this host`, { what: "page" });
      return c.body(bytes, 200, { "content-type": type, "cache-control": "public, max-age=86400" });
    });
  }
}
