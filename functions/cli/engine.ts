/** The engine as a command line opens it: kernels within the host's budget, and a model that was checked as on a server. */
import {
  type Budget,
  capabilities,
  type CertifyContext,
  type Kernels,
  type Model,
  readModel,
} from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { onnxruntime } from "../adapters/onnxruntime.ts";
import { againstRuntime } from "../certifier/against_runtime.ts";
import { pausingClock, TURN_MS } from "../clock.ts";
import { createKernels } from "../kernels.ts";
import { budgetFrom } from "../settings.ts";
import type { Arguments, Option } from "./arguments.ts";
import { deadline } from "./deadline.ts";
import type { CommandHost } from "./host.ts";
import { numberFrom } from "./numbers.ts";
import type { Progress } from "./progress.ts";

/** Options that every command has. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: "--output", value: "NAME", help: "the model's output, where it has several" },
  { name: "--timeout", value: "SECONDS", help: "stop when so much time has passed" },
  { name: "--help", value: null, help: "print this" },
];

export const ENVIRONMENT_HELP = `Environment: LIPCERT_GFLOP and LIPCERT_MEMORY_MIB bound what one question may cost ` +
  `(defaults as on a server; of certify that of each thread), LIPCERT_CWD is the folder that file names start from.`;

/** A model read and compared with onnxruntime, and what a question about it is asked with. */
export interface OpenEngine {
  readonly model: Model;
  readonly kernels: Kernels;
  readonly context: CertifyContext;
}

/** The signal of `--timeout`, counting from now; undefined without one. */
export function signalFrom({ values }: Arguments, host: CommandHost): AbortSignal | undefined {
  const text = values.get("--timeout");
  if (text === undefined) return undefined;
  const seconds = numberFrom("--timeout", text);
  if (!(seconds > 0)) {
    throw new LipcertError("invalid-query", "Cannot read --timeout: a positive number of seconds is needed");
  }
  return deadline(seconds, host);
}

/** Throws: `not-found`, `model-too-large`, `model-misread`, what `readModel` throws; the signal's reason. */
export async function openEngine(
  path: string,
  host: CommandHost,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<OpenEngine> {
  const bytes = await readModelFile(path, host);
  const budget = hostBudget(host);
  const kernels = createKernels(budget.bytes);
  const model = await readModel(bytes);
  await againstRuntime(onnxruntime(), kernels)(model, bytes);
  signal?.throwIfAborted();
  const { onProgress } = progress;
  const clock = { ...pausingClock(TURN_MS), now: host.now };
  return {
    model,
    kernels,
    context: { kernels, budget, clock, onProgress, ...(signal === undefined ? {} : { signal }) },
  };
}

function hostBudget({ environment }: CommandHost): Budget {
  try {
    return budgetFrom(environment);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new LipcertError("invalid-query", `Cannot read environment: ${cause.message}`, {}, cause);
  }
}

async function readModelFile(path: string, host: CommandHost): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await host.read(path, capabilities().limits.model_bytes);
  } catch (error) {
    if (!(error instanceof LipcertError) || error.type !== "payload-too-large") throw error;
    throw new LipcertError("model-too-large", error.message, error.members, error);
  }
}
