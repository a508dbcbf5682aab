/** A command's host whose streams are kept, over files in memory and those of this project. */
import { type CommandHost, denoHost } from "../../functions/cli/host.ts";
import { LipcertError } from "../../shared/errors.ts";

export interface Captured extends CommandHost {
  stdout: string;
  stderr: string;
  /** Names of the environment that were asked for. */
  readonly asked: Set<string>;
  readonly written: Map<string, Uint8Array>;
}

export interface Settings {
  readonly files?: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly now?: () => number;
  readonly onInterrupt?: CommandHost["onInterrupt"];
}

export const MODEL = "functions/samples/mlp16.onnx";

export function capture(
  { files = {}, environment = {}, isTerminal = false, now = () => 0, onInterrupt }: Settings = {},
): Captured {
  const real = denoHost(new URL("../../", import.meta.url).pathname);
  const written = new Map<string, Uint8Array>(), asked = new Set<string>();
  const host: Captured = {
    stdout: "",
    stderr: "",
    asked,
    written,
    isTerminal,
    cores: 1,
    now,
    onInterrupt: onInterrupt ?? (() => () => {}),
    environment(name) {
      asked.add(name);
      return environment[name];
    },
    out: (text) => void (host.stdout += text),
    error: (text) => void (host.stderr += text),
    read(path, limit) {
      if (!Object.hasOwn(files, path)) return real.read(path, limit);
      const file = files[path];
      const bytes = typeof file === "string" ? new TextEncoder().encode(file) as Uint8Array<ArrayBuffer> : file;
      if (bytes.length > limit) throw new LipcertError("payload-too-large", `${path} is longer than ${limit} bytes`);
      return Promise.resolve(bytes);
    },
    write(path, bytes) {
      written.set(path, bytes);
      return Promise.resolve();
    },
  };
  return host;
}

/** The problem on the error stream. */
export function problemIn({ stderr }: Captured): Record<string, unknown> & { type: string; detail: string } {
  return JSON.parse(stderr);
}
