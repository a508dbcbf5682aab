/** A real redis-server, and the front before it, as processes that a test may kill and start again. */
import { Redis } from "ioredis";

/** Kept between starts: data, port. Nothing of it is under the checkout. */
export interface RedisServer {
  readonly address: string;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Forgets everything. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface FrontServer {
  readonly url: string;
  readonly token: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

/** The program, or null and a line that says what is skipped. `LIPCERT_REDIS_SERVER` names it where it is not found. */
export const REDIS_SERVER: string | null = await findRedisServer();

async function findRedisServer(): Promise<string | null> {
  const program = Deno.env.get("LIPCERT_REDIS_SERVER") || "redis-server";
  try {
    const { success } = await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .output();
    if (success) return program;
  } catch {
    // not there
  }
  console.log(`SKIPPED: tests over Redis: ${program} is not here (Debian: apt-get install redis-server)`);
  return null;
}

/** A free port of this machine; nobody else takes one so soon after. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Every write is on disk before it is answered. */
export async function redisServer(): Promise<RedisServer> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const address = `redis://127.0.0.1:${port}`;
  let child: Deno.ChildProcess | null = null;

  async function withClient<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(address, { protocol: 2, retryStrategy: () => 20, maxRetriesPerRequest: 500 });
    redis.on("error", () => {}); // it is starting
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
      await new Promise((resolve) => redis.once("end", resolve));
    }
  }

  async function kill(): Promise<void> {
    child?.kill("SIGKILL");
    await child?.status;
    child = null;
  }

  return {
    address,
    async start() {
      const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""];
      const durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"];
      const quiet = { stdout: "null", stderr: "null" } as const;
      child = new Deno.Command(REDIS_SERVER!, { args: [...args, ...durable], ...quiet }).spawn();
      await withClient((redis) => redis.ping());
    },
    kill,
    flush: () => withClient(async (redis) => void await redis.flushall()),
    async close() {
      await kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** `deno task redis-front` before `redis`. */
export function frontServer(redis: string): FrontServer {
  const port = freePort();
  const token = "a-token-of-the-tests";
  let child: Deno.ChildProcess | null = null;
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    async start() {
      child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", new URL("../../functions/redis_front/start.ts", import.meta.url).pathname],
        env: { HOST: "127.0.0.1", PORT: String(port), LIPCERT_REDIS: redis, LIPCERT_FRONT_TOKEN: token },
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      if (!new TextDecoder().decode(value).includes("listens on")) throw new Error("the front did not start");
      reader.releaseLock();
      await child.stdout.cancel();
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.status;
      child = null;
    },
  };
}
