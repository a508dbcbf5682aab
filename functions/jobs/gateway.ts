/** Who may hand jobs to a node: whoever shares a key with it, each message once. */
import { LipcertError } from "../../shared/mod.ts";
import type { Gateway } from "../services.ts";
import type { Now, Records } from "../storage/port.ts";
import { TOLERANCE_S, verifySigned } from "../webhooks/verify.ts";

export interface GatewaySettings {
  readonly keys: readonly string[];
  /** Shared by all nodes that have the keys. */
  readonly records: Records;
  readonly now: Now;
}

/** A message's name is remembered for longer than its timestamp is good, on either side of now. */
const REMEMBERED_MS = 3 * TOLERANCE_S * 1000;

export function gateway({ keys, records, now }: GatewaySettings): Gateway {
  return {
    async admit(headers, body) {
      const verified = await verifySigned(headers, body, keys, now() / 1000);
      if (!verified.ok) throw refused(verified.reason);
      const { id } = verified;
      if (!ID.test(id)) throw refused("headers");
      const seen = await records.compareAndSet(`signed/${id}`, null, new Uint8Array(1), { expiresInMs: REMEMBERED_MS });
      if (!seen.written) throw refused("seen before");
    },
  };
}

/** Short enough for the name of a record. */
const ID = /^[\w-]{16,64}$/;

function refused(reason: string): LipcertError {
  return new LipcertError("unauthorized", `Cannot take the job: its signature does not hold (${reason})`, { reason });
}
