/** `functions/start.ts` or `functions/node.ts` as a process of its own, which may be killed. */
import type { Host } from "./hosts.ts";

export interface Started extends Host {
  readonly origin: string;
  /** Standard error so far. */
  readonly log: () => string;
  /** Ends the process as told and waits for it. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

const programOf = (name: string) => new URL(`../../functions/${name}.ts`, import.meta.url).pathname;

/** Starts the service on a free port. `limit`: what the shell is told before, e.g. to limit the size of files. */
export async function started(
  env: Record<string, string>,
  limit = "true",
  program: "start" | "node" = "start",
): Promise<Started> {
  const run = [Deno.execPath(), "run", "-A", "--no-check", programOf(program)].map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("sh", {
    args: ["-c", `${limit}; exec ${run}`],
    env: { HOST: "127.0.0.1", PORT: "0", LIPCERT_WORKERS: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const logged = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  const told = Promise.withResolvers<string>();
  const printed = (async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const origin = /listens on (\S+) /.exec(text)?.[1];
      if (origin !== undefined) told.resolve(origin);
    }
    told.reject(new Error(`the service did not start: ${text} ${log}`));
  })();
  const origin = await told.promise;
  async function end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    await Promise.all([logged, printed]);
    return await child.status;
  }
  return {
    name: "deno",
    bodyLimit: 64 * 2 ** 20,
    hasJobs: true,
    origin,
    log: () => log,
    fetch: (path, init) => fetch(`${origin}${path}`, init),
    end,
    close: async () => void await end("SIGTERM"),
  };
}

/** A node over a Redis, one job at a time. */
export function startedNode(redis: string, env: Record<string, string> = {}): Promise<Started> {
  return started({ LIPCERT_REDIS: redis, LIPCERT_JOB_WORKERS: "1", ...env }, "true", "node");
}
