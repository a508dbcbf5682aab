/** `deno task redis-front`: serves a Redis over Upstash's REST protocol until it is told to stop. */
import { addressFrom, frontFrom } from "../settings.ts";
import { createFront } from "./app.ts";
import { connectRedis } from "./redis.ts";

const environment = (name: string) => Deno.env.get(name);
const { redis: address, token, limits } = frontFrom(environment);
const redis = await connectRedis(address);
const app = createFront(redis, token, limits);
const server = Deno.serve({
  ...addressFrom(environment, 8079),
  handler: (request) => app.fetch(request),
  onListen: ({ hostname, port }) =>
    console.log(`redis-front listens on http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`),
});

/** The first signal lets requests under way end, the second does not. */
let isEnding = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    if (isEnding) Deno.exit(1);
    isEnding = true;
    void server.shutdown();
  });
}
await server.finished;
redis.close();
Deno.exit(0);
