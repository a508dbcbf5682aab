/** A line on the error stream that says how far the computation is, where a person watches. */
import type { SearchProgress } from "../../shared/mod.ts";
import type { CommandHost } from "./host.ts";

export interface Progress {
  readonly onProgress: (progress: { readonly rows: number; readonly flops: number }) => void;
  readonly onSearch: (progress: SearchProgress) => void;
  /** Takes the line away. */
  end(): void;
}

const EVERY_MS = 100;
const CLEAR = "\r\x1b[K";

export function progressLine(host: CommandHost): Progress {
  let shown = false;
  let searching = false;
  const start = host.now();
  let next = start + EVERY_MS;
  const show = (text: () => string) => {
    if (!host.isTerminal || host.now() < next) return;
    next = host.now() + EVERY_MS;
    shown = true;
    host.error(`${CLEAR}${text()}`);
  };
  return {
    onProgress({ rows, flops }) {
      // A search's own line says more.
      if (!searching) show(() => `${rows} rows, ${(flops / 1e9).toFixed(2)} GFLOP`);
    },
    onSearch({ nodes, open, upper, lower }) {
      searching = true;
      const seconds = ((host.now() - start) / 1000).toFixed(1);
      const bounds = () => {
        if (lower === -Infinity) return `at most ${upper.toPrecision(7)}`; // nothing is proved from below
        const gap = upper === 0 ? 0 : (upper - lower) / upper;
        return `${lower.toPrecision(7)} to ${upper.toPrecision(7)}, gap ${gap.toPrecision(3)}`;
      };
      show(() => `${nodes} nodes, ${open} open, ${bounds()}, ${seconds} s`);
    },
    end() {
      if (shown) host.error(CLEAR);
    },
  };
}
