/** The HTTP application. It takes its ports as {@link Services} and knows no platform. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Env } from "./http/env.ts";
import { identify, logRequests, secure, shareWithOrigins } from "./http/middleware.ts";
import { type App, noRoute } from "./http/operation.ts";
import { problemOf } from "./http/problem.ts";
import { mountCapabilities } from "./routes/capabilities.ts";
import { mountCertificates } from "./routes/certificates.ts";
import { mountCertify } from "./routes/certify.ts";
import { mountDocuments } from "./routes/documents.ts";
import { mountGateway } from "./routes/gateway.ts";
import { mountJobs } from "./routes/jobs.ts";
import { mountModels } from "./routes/models.ts";
import { mountPages } from "./routes/pages.ts";
import type { Services } from "./services.ts";

export function createApp(services: Services): App {
  const app = new OpenAPIHono<Env>();
  app.use(identify, logRequests(services.log), secure, shareWithOrigins);
  app.onError((error, c) => problemOf(error, c));
  app.notFound((c) => problemOf(noRoute(app, c.req.method, c.req.path), c));
  mountModels(app, services);
  mountCertify(app, services);
  mountCertificates(app, services);
  if (services.jobs) mountJobs(app, services, services.jobs);
  if (services.jobs && services.gateway) mountGateway(app, services, services.jobs, services.gateway);
  mountCapabilities(app, services);
  mountPages(app);
  mountDocuments(app, services.assets);
  return app;
}
