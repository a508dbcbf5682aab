/** What this host can do, and whether it is alive. */
import { capabilities } from "../../shared/mod.ts";
import { type App, operation } from "../http/operation.ts";
import { CapabilitiesAnswer, HealthAnswer, problemResponses } from "../schemas/answers.ts";
import type { Services } from "../services.ts";

export function mountCapabilities(app: App, { limits, jobs, notifier, idempotency }: Services): void {
  operation(app, {
    method: "get",
    path: "/v1/capabilities",
    operationId: "getCapabilities",
    summary: "What is supported here",
    responses: {
      200: { description: "Capabilities", content: { "application/json": { schema: CapabilitiesAnswer } } },
      ...problemResponses(),
    },
  }, (c) => {
    const engine = capabilities();
    const host = { jobs: !!jobs, callbacks: !!jobs && !!notifier, idempotency_keys: !!idempotency };
    return c.json({ ...engine, ...host, limits: { ...engine.limits, ...limits } });
  });

  operation(app, {
    method: "get",
    path: "/healthz",
    operationId: "getHealth",
    summary: "Whether the service is alive",
    responses: {
      200: { description: "Alive", content: { "application/json": { schema: HealthAnswer } } },
      ...problemResponses(),
    },
  }, (c) => c.json({ status: "ok" }, 200, { "cache-control": "no-store" }));
}
