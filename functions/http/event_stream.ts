/** Server-sent events: text out of a sequence of events, with a sign of life where there are none for a while. */

export interface ServerEvent {
  readonly id: number;
  readonly event: string;
  /** One JSON value. */
  readonly data: unknown;
}

/** Milliseconds after which a client whose connection broke asks again. */
const RETRY_MS = 2000;

/** Pieces that may wait for a reader; one that falls further behind is let go, and may come again. */
const MOST_UNREAD = 256;

const encoder = new TextEncoder();

/**
 * A stream of the events, which ends with them or when they fail.
 *
 * `open` is handed a signal that aborts when the reader leaves. `aliveMs`: how often a line without meaning is sent, for
 * what lies between and closes connections that are silent.
 */
export function eventStream(
  open: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  aliveMs: number,
  failed: (error: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = new AbortController();
  let isOpen = false;
  return new ReadableStream({
    /** Nothing is begun for an answer whose body nobody reads. */
    pull(controller) {
      if (isOpen) return;
      isOpen = true;
      const send = (text: string) => {
        if (left.signal.aborted) return;
        controller.enqueue(encoder.encode(text));
        if ((controller.desiredSize ?? 0) > -MOST_UNREAD) return;
        left.abort();
        controller.close();
      };
      const alive = setInterval(() => send(": alive\n\n"), aliveMs);
      left.signal.addEventListener("abort", () => clearInterval(alive), { once: true });
      send(`retry: ${RETRY_MS}\n\n`);
      void run(send).catch(failed).finally(() => {
        clearInterval(alive);
        if (!left.signal.aborted) controller.close();
      });
    },
    cancel() {
      left.abort();
    },
  }, { highWaterMark: 0 });

  async function run(send: (text: string) => void): Promise<void> {
    for await (const { id, event, data } of open(left.signal)) {
      send(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }
}

/** The last event that a client saw, of its header `Last-Event-ID`; null where there is none that we gave. */
export function lastEventId(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;
}
