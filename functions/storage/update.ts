/** Changes to a record, made again until no other writer was in between. */
import type { Bytes, Expiry, Records } from "./port.ts";

/**
 * Writes `change` of what is there, and returns what is there in the end.
 *
 * `change` gets null where nothing is, and returns null to leave everything as it is. It is called again for each other
 * writer that came first; if an answer was lost and another writer followed, also after its own write. So a change that
 * must count once says in the record that it was made. `expiry` counts from this write.
 */
export async function update(
  records: Records,
  key: string,
  change: (current: Bytes | null) => Bytes | null | Promise<Bytes | null>,
  expiry: Expiry = {},
): Promise<Bytes | null> {
  let current = await records.get(key);
  for (;;) {
    const next = await change(current?.bytes ?? null);
    if (next === null) return current?.bytes ?? null;
    const result = await records.compareAndSet(key, current?.version ?? null, next, expiry);
    if (result.written) return next;
    current = result.current;
  }
}
