/** When a search that lasts is saved: seldom, and not where it has grown too large for that. */
import { type CertifyContext, packCheckpoint, unpackCheckpoint } from "../../shared/mod.ts";
import type { CertifyCall } from "../services.ts";

/** The first save is early: it is small, and tells how large the next may be. */
const FIRST_MS = 1000;
const EVERY_MS = 30_000;
/** No save that is likely to be larger is made. */
const MOST_BYTES = 16 * 2 ** 20;

type Continuation = Pick<CertifyContext, "checkpoint" | "onCheckpoint" | "onSearch">;

/** The members of a certify context that go on from a call's checkpoint and tell of new ones. `now` in milliseconds. */
export function continued(
  { checkpoint, onCheckpoint, onSearch }: CertifyCall,
  now: () => number = () => performance.now(),
): Continuation {
  const from = checkpoint && { checkpoint: unpackCheckpoint(checkpoint) };
  if (!onCheckpoint) return { ...from };
  let next = now() + FIRST_MS, open = 1, bytesPerNode = 0;
  return {
    ...from,
    onSearch(progress) {
      open = progress.open;
      onSearch?.(progress);
    },
    onCheckpoint(save) {
      if (now() < next || open * bytesPerNode > MOST_BYTES) return;
      const bytes = packCheckpoint(save());
      bytesPerNode = bytes.length / Math.max(1, open);
      if (bytes.length <= MOST_BYTES) onCheckpoint(bytes);
      next = now() + EVERY_MS;
    },
  };
}
