/** `verify`: whether a VNN-LIB property has a counterexample, in the words of VNN-COMP. */
import { type Answer, answerProperty, type Counterexample, PROPERTY_NODES, readProperty } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { type Arguments, describeOptions, type Option, positionals, readArguments } from "./arguments.ts";
import { COMMON_OPTIONS, ENVIRONMENT_HELP, openEngine, signalFrom } from "./engine.ts";
import { describeExits, EXIT, type ExitCode, exitOf, problemText } from "./failure.ts";
import type { CommandHost } from "./host.ts";
import { untilInterrupted } from "./interrupt.ts";
import { numberFrom } from "./numbers.ts";
import { progressLine } from "./progress.ts";
import { readPropertyFile } from "./property_file.ts";

const OPTIONS: readonly Option[] = [
  {
    name: "--max-nodes",
    value: "COUNT",
    help: `search what one pass leaves open, bounding so many parts (default ${PROPERTY_NODES}, 0: no search)`,
  },
  ...COMMON_OPTIONS,
];

export const VERIFY_HELP = `verify MODEL.onnx PROPERTY.vnnlib: does the network have a counterexample to the property?

The property (VNN-LIB 1.0, or .gz) describes counterexamples: X_i are the inputs, Y_j the outputs, row by row. It may use
declare-const, assert, and, or, <=, >=, +, -, * by a number; its constraints on inputs must form a box in each disjunct.
The first line of the answer is one of
  unsat    there is none: proved over the real numbers, rounding included
  sat      there is one, proved likewise; it follows as ((X_0 v) ... (Y_0 v) ...)
  unknown  neither is proved
  timeout  --timeout has passed

${describeOptions(OPTIONS)}

Ctrl-C ends a search: unknown, if nothing was proved until then; again, the command.
${describeExits("unsat", "sat")}
${ENVIRONMENT_HELP}
`;

const CODES = { unsat: EXIT.certified, sat: EXIT.refuted, unknown: EXIT.unknown } as const;

/** Answers on the host's streams; the exit code. */
export async function verifyCommand(given: readonly string[], host: CommandHost): Promise<ExitCode> {
  if (given.includes("--help")) {
    host.out(VERIFY_HELP);
    return EXIT.certified;
  }
  const progress = progressLine(host);
  let signal: AbortSignal | undefined;
  try {
    const options = readArguments(given, OPTIONS);
    const [modelPath, propertyPath] = positionals(options, ["MODEL.onnx", "PROPERTY.vnnlib"]);
    const maxNodes = maxNodesFrom(options);
    signal = signalFrom(options, host);
    const property = readProperty(await readPropertyFile(propertyPath, host));
    const { model, context } = await openEngine(modelPath, host, progress, signal);
    const output = options.values.get("--output");
    const asked = { maxNodes, ...(output === undefined ? {} : { output }) };
    const answer = await untilInterrupted(
      host,
      progress,
      (watch) => answerProperty(property, model, { ...context, ...watch }, asked),
    );
    progress.end();
    host.out(`${answer.verdict}\n`);
    if (answer.verdict === "sat") host.out(counterexampleText(answer.counterexample));
    host.error(grounds(answer));
    return CODES[answer.verdict];
  } catch (error) {
    progress.end();
    const exit = exitOf(error);
    if (exit === EXIT.stopped) host.out(signal?.aborted ? "timeout\n" : "unknown\n");
    host.error(problemText(error));
    return exit;
  }
}

/** Throws: `invalid-query` unless a whole number is given. */
function maxNodesFrom({ values }: Arguments): number {
  const text = values.get("--max-nodes");
  const count = text === undefined ? PROPERTY_NODES : numberFrom("--max-nodes", text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new LipcertError("invalid-query", `Cannot read --max-nodes: a whole number from 0 on is needed, not ${text}`);
}

function counterexampleText({ inputs, outputs }: Counterexample): string {
  const lines = [...inputs.map((value, i) => `(X_${i} ${value})`), ...outputs.map((value, j) => `(Y_${j} ${value})`)];
  return `(${lines.join("\n ")})\n`;
}

/** On the error stream: what the answer rests on. */
function grounds({ disjuncts, open, nodes, certificates }: Answer): string {
  const searched = nodes === 0 ? "" : `, ${nodes} nodes searched`;
  return `${disjuncts} disjuncts, ${disjuncts - open} proved impossible${searched}\n` +
    certificates.map((id) => `output_bounds ${id}\n`).join("");
}
