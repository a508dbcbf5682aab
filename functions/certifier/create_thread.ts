/** A Worker that runs `thread.ts`. */
export function createThread(): Worker {
  return new Worker(new URL("./thread.ts", import.meta.url), { type: "module" });
}
