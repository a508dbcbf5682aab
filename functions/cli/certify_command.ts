/** `certify`: one question about a model in a file. */
import { canonicalBytes, certify, type CertifyContext, resolveQuery } from "../../shared/mod.ts";
import { describeOptions, type Option, positionals, readArguments } from "./arguments.ts";
import type { Threads } from "../certifier/threads.ts";
import { COMMON_OPTIONS, ENVIRONMENT_HELP, openEngine, signalFrom } from "./engine.ts";
import { describeExits, EXIT, type ExitCode, exitOf, problemText } from "./failure.ts";
import type { CommandHost } from "./host.ts";
import { untilInterrupted } from "./interrupt.ts";
import { progressLine } from "./progress.ts";
import { QUESTION_HELP, QUESTION_OPTIONS, questionFrom } from "./question.ts";
import { summaryOf } from "./summary.ts";
import { THREADS_OPTION, threadsFrom } from "./threads.ts";

const OPTIONS: readonly Option[] = [
  ...QUESTION_OPTIONS,
  THREADS_OPTION,
  { name: "--json", value: null, help: "print the certificate's JSON, the bytes that the HTTP API answers with" },
  { name: "--out", value: "FILE", help: "write that JSON to a file" },
  ...COMMON_OPTIONS,
];

export const CERTIFY_HELP = `certify MODEL.onnx: a certificate for a network over a box of inputs

${describeOptions(OPTIONS)}

${QUESTION_HELP}
Ctrl-C ends a search with the best bounds so far; again, the command.
${describeExits("certified (or bounds given)", "refuted")}
${ENVIRONMENT_HELP}

  deno task certify functions/samples/mlp16.onnx --center center.json --radius 0.05 --clip 0,1 --property lipschitz
`;

/** The default budget is that of one thread, which a time limit counts by. */
function threadsOf(
  { distribute, threads }: Threads,
  budget: CertifyContext["budget"],
  { environment }: CommandHost,
): Pick<CertifyContext, "distribute" | "threads" | "budget"> {
  const more = budget && !environment("LIPCERT_GFLOP") ? { ...budget, flops: budget.flops * threads } : budget;
  return { distribute, threads, ...(more && { budget: more }) };
}

/** Answers on the host's streams; the exit code. */
export async function certifyCommand(given: readonly string[], host: CommandHost): Promise<ExitCode> {
  if (given.includes("--help")) {
    host.out(CERTIFY_HELP);
    return EXIT.certified;
  }
  const progress = progressLine(host);
  let threads: Threads | null = null;
  try {
    const options = readArguments(given, OPTIONS);
    const [path] = positionals(options, ["MODEL.onnx"]);
    const signal = signalFrom(options, host);
    const request = await questionFrom(options, host);
    threads = threadsFrom(options, host);
    const { model, kernels, context: engine } = await openEngine(path, host, progress, signal);
    const context = { ...engine, ...threadsOf(threads, engine.budget, host) };
    const query = await resolveQuery(request, model, kernels);
    const certificate = query.options.search === undefined
      ? await certify(model, query, context)
      : await untilInterrupted(host, progress, (watch) => certify(model, query, { ...context, ...watch }));
    progress.end();
    const bytes = canonicalBytes(certificate);
    const file = options.values.get("--out");
    if (file !== undefined) await host.write(file, bytes);
    host.out(options.has("--json") ? `${new TextDecoder().decode(bytes)}\n` : summaryOf(certificate));
    return EXIT[certificate.verdict];
  } catch (error) {
    progress.end();
    host.error(problemText(error));
    return exitOf(error);
  } finally {
    threads?.close();
  }
}
