/** A line on the error stream that says how far the computation is, where a person watches. */
import type { CommandHost } from "./host.ts";

export interface Progress {
  readonly onProgress: (progress: { readonly rows: number; readonly flops: number }) => void;
  /** Takes the line away. */
  end(): void;
}

const EVERY_MS = 100;
const CLEAR = "\r\x1b[K";

export function progressLine(host: CommandHost): Progress {
  let shown = false;
  let next = host.now() + EVERY_MS;
  return {
    onProgress({ rows, flops }) {
      if (!host.isTerminal || host.now() < next) return;
      next = host.now() + EVERY_MS;
      shown = true;
      host.error(`${CLEAR}${rows} rows, ${(flops / 1e9).toFixed(2)} GFLOP`);
    },
    end() {
      if (shown) host.error(CLEAR);
    },
  };
}
