/** Ctrl-C during a search. */
import type { CertifyContext } from "../../shared/mod.ts";
import type { CommandHost } from "./host.ts";
import type { Progress } from "./progress.ts";

/**
 * Runs a search that the first interrupt ends with the best bounds so far. Before its first round an interrupt ends the
 * process as ever: nothing would hear it.
 */
export async function untilInterrupted<T>(
  host: CommandHost,
  progress: Progress,
  body: (watch: Pick<CertifyContext, "finish" | "onSearch">) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let stopListening: (() => void) | null = null;
  const onSearch: Progress["onSearch"] = (how) => {
    stopListening ??= host.onInterrupt(() => controller.abort());
    progress.onSearch(how);
  };
  try {
    return await body({ finish: controller.signal, onSearch });
  } finally {
    if (!controller.signal.aborted) (stopListening as (() => void) | null)?.();
  }
}
