/** Lines to a stream, gathered and written beside the work that makes them. */

const MOST_LINES_WAITING = 10_000;

/**
 * A function that takes a line (with its newline) and returns at once.
 *
 * A reader that falls behind loses lines rather than holding answers back.
 */
export function lineWriter(stream: { write(bytes: Uint8Array): Promise<number> }): (line: string) => void {
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  let writing = false;

  async function drain(): Promise<void> {
    writing = true;
    try {
      while (waiting.length > 0) {
        let bytes = encoder.encode(waiting.join(""));
        waiting = [];
        while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
      }
    } catch {
      waiting = []; // the stream is closed; there is nobody to tell
    } finally {
      writing = false;
    }
  }

  return (line) => {
    if (waiting.length >= MOST_LINES_WAITING) return;
    waiting.push(line);
    if (!writing) void drain();
  };
}
