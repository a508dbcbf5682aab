/**
 * Upstash's REST protocol over a plain Redis: `POST /` with one command, `/pipeline` and `/multi-exec` with many.
 *
 * Commands in the path are not served: their values would be in every log on the way.
 */
import { type Context, Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { checkAllowed, type Command, FrontError, readCommand } from "./commands.ts";
import type { Outcome, RedisConnection } from "./redis.ts";
import { encodeReply, type Encoding } from "./replies.ts";

export interface FrontLimits {
  readonly bodyBytes: number;
  /** Commands of one pipeline or transaction. */
  readonly commands: number;
}

export function createFront(redis: RedisConnection, token: string, limits: FrontLimits): Hono {
  const app = new Hono();
  const unauthorized = { message: { error: "Unauthorized" } };
  app.use(
    bearerAuth({
      token,
      noAuthenticationHeader: unauthorized,
      invalidAuthenticationHeader: unauthorized,
      invalidToken: unauthorized,
    }),
    bodyLimit({
      maxSize: limits.bodyBytes,
      onError() {
        throw new FrontError(413, `ERR max request size exceeded. Limit: ${limits.bodyBytes} bytes`);
      },
    }),
  );
  app.onError((error, c) =>
    error instanceof FrontError
      ? c.json({ error: error.message }, error.status)
      : "getResponse" in error
      ? (error as { getResponse(): Response }).getResponse()
      : c.json({ error: "ERR internal error" }, 500)
  );
  app.notFound((c) => c.json({ error: "Not Found" }, 404));

  app.post("/", async (c) => {
    const command = readCommand(await bodyOf(c));
    checkAllowed(command, redis.allowed);
    const outcome = await redis.call(command);
    return c.json(answerTo(outcome, encodingOf(c)), "refused" in outcome ? 400 : 200);
  });

  app.post("/pipeline", async (c) => {
    const commands = readCommands(await bodyOf(c), limits);
    const outcomes = await Promise.all(commands.map((command) => refused(command) ?? redis.call(command)));
    return c.json(outcomes.map((outcome) => answerTo(outcome, encodingOf(c))));
  });

  app.post("/multi-exec", async (c) => {
    const commands = readCommands(await bodyOf(c), limits);
    for (const command of commands) checkAllowed(command, redis.allowed);
    const outcomes = await redis.transaction(commands);
    return c.json(outcomes.map((outcome) => answerTo(outcome, encodingOf(c))));
  });

  /** In a pipeline a command that is not passed on fails by itself. */
  function refused(command: Command): Outcome | null {
    try {
      checkAllowed(command, redis.allowed);
      return null;
    } catch (error) {
      return { refused: (error as FrontError).message };
    }
  }

  return app;
}

async function bodyOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (error) {
    if (error instanceof FrontError) throw error;
    throw new FrontError(400, "ERR failed to parse command: the body is not JSON");
  }
}

function readCommands(body: unknown, limits: FrontLimits): Command[] {
  if (!Array.isArray(body)) throw new FrontError(400, "ERR failed to parse pipeline: the body is an array of commands");
  if (body.length > limits.commands) {
    throw new FrontError(400, `ERR too many commands: ${body.length}, at most ${limits.commands}`);
  }
  return body.map(readCommand);
}

function encodingOf(c: Context): Encoding {
  return c.req.header("upstash-encoding") === "base64" ? "base64" : "utf8";
}

function answerTo(outcome: Outcome, encoding: Encoding): { result: unknown } | { error: string } {
  return "refused" in outcome ? { error: outcome.refused } : { result: encodeReply(outcome.reply, encoding) };
}
