/** The least that the same kind of server can do: an empty answer of hono. Started by the bench. */
import { Hono } from "hono";

const app = new Hono();
app.get("/", (c) => c.body(null));

const server = Deno.serve({
  hostname: Deno.env.get("HOST"),
  port: Number(Deno.env.get("PORT")),
  handler: (request) => app.fetch(request),
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}`),
});
Deno.addSignalListener("SIGTERM", () => void server.shutdown());
await server.finished;
Deno.exit(0);
