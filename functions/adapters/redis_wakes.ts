/** Wakes that all processes over one Redis hear. One that is lost is made up for by those who look again anyway. */
import type { Redis } from "ioredis";
import { Wakes } from "../jobs/wakes.ts";

const CHANNEL = "lipcert:woken";

/** Hears on a connection of its own, made from the options of `redis`, and tells on `redis`. */
export async function redisWakes(redis: Redis): Promise<{ readonly wakes: Wakes; close(): void }> {
  const me = crypto.randomUUID();
  const wakes = new Wakes((name) => void redis.publish(CHANNEL, `${me} ${name}`).catch(() => {}));
  const ears = redis.duplicate();
  ears.on("error", () => {}); // made again by itself
  ears.on("message", (_, message: string) => {
    const [from, name] = message.split(" ", 2);
    if (from !== me) wakes.hear(name);
  });
  await ears.connect();
  await ears.subscribe(CHANNEL);
  return { wakes, close: () => ears.disconnect() };
}
