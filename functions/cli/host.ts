/** What a command line needs from its platform, so that it runs as well inside a test. */
import { LipcertError } from "../../shared/errors.ts";
import type { Environment } from "../settings.ts";

export interface CommandHost {
  readonly environment: Environment;
  /** Whether a person watches the error stream: then progress is shown there. */
  readonly isTerminal: boolean;
  readonly cores: number;
  /** Milliseconds from any fixed moment. */
  now(): number;
  /** Calls back at the next interrupt (Ctrl-C), once; those after it end the process. Returns what stops listening. */
  onInterrupt(callback: () => void): () => void;
  out(text: string): void;
  error(text: string): void;
  /** At most `limit` bytes of a file. Throws `not-found`, or `payload-too-large` before anything is read. */
  read(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>>;
  write(path: string, bytes: Uint8Array): Promise<void>;
}

const encoder = new TextEncoder();

/** The host of this process. Paths are seen from `LIPCERT_CWD`, where a task was started, or from where the process is. */
export function denoHost(from: string | undefined = Deno.env.get("LIPCERT_CWD")): CommandHost {
  const place = (path: string) => from === undefined || /^([/\\]|[A-Za-z]:)/.test(path) ? path : `${from}/${path}`;
  return {
    environment: (name) => Deno.env.get(name),
    isTerminal: Deno.stderr.isTerminal(),
    cores: navigator.hardwareConcurrency,
    now: () => performance.now(),
    onInterrupt(callback) {
      const stop = () => Deno.removeSignalListener("SIGINT", once);
      const once = () => {
        stop();
        callback();
      };
      Deno.addSignalListener("SIGINT", once);
      return stop;
    },
    out: (text) => writeAll(Deno.stdout, encoder.encode(text)),
    error: (text) => writeAll(Deno.stderr, encoder.encode(text)),
    read: (path, limit) => readBounded(place(path), path, limit),
    write: (path, bytes) => writeFile(place(path), path, bytes),
  };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

async function readBounded(path: string, name: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new LipcertError("not-found", `Cannot read file ${JSON.stringify(name)}: it is no file`);
    if (size > limit) throw tooLong(name, limit, size);
    return await Deno.readFile(path);
  } catch (error) {
    throw error instanceof LipcertError ? error : unusable("read", name, error);
  }
}

async function writeFile(path: string, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.writeFile(path, bytes);
  } catch (error) {
    throw unusable("write", name, error);
  }
}

export function tooLong(name: string, limit: number, got?: number): LipcertError {
  return new LipcertError(
    "payload-too-large",
    `Cannot read file ${JSON.stringify(name)}: it is longer than the ${limit} bytes that are read`,
    { limit_bytes: limit, ...(got === undefined ? {} : { got_bytes: got }) },
  );
}

function unusable(verb: "read" | "write", name: string, cause: unknown): LipcertError {
  const reason = cause instanceof Deno.errors.NotFound
    ? "there is none"
    : cause instanceof Error
    ? cause.message
    : String(cause);
  return new LipcertError("not-found", `Cannot ${verb} file ${JSON.stringify(name)}: ${reason}`, {}, cause);
}
