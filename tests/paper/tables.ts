/** Records as Markdown: for each case what every method bounded, what it took, and what the peers have stored. */
import { figure, percent } from "../bench/report.ts";
import { type Answer, COUNTERPART, type Method } from "./answers.ts";
import { type CaseRecord, judge, lowerOf, maxOrNull, type ModelRecord, type PeerRecord, upperOf } from "./record.ts";
import { isRunOf } from "./stored.ts";

const COLUMNS = [
  ...["method", "upper", "lower", "s", "GFLOP", "of peak", "kernels MB", "RSS MB"],
  ...["peer 0.3.1", "peer 0.7.1", "to best peer", ""],
];

/** One network: a table for every case. */
export function modelMarkdown(record: ModelRecord): string {
  const { processor, deno, revision } = record.machine;
  const head = [
    `## ${record.name}\n`,
    `${
      record.date.slice(0, 10)
    }, lipcert ${revision}, ${processor}, one thread, Deno ${deno}, at most ${record.limitSeconds} s a question.\n`,
  ];
  if (record.refused !== null) return [...head, `Refused: ${record.refused}\n`].join("\n");
  return [...head, ...record.cases.map(caseMarkdown)].join("\n");
}

export function caseMarkdown(one: CaseRecord): string {
  const rows = one.answers.map((answer) => answerRow(one, answer));
  const mistakes = one.answers.flatMap((answer) => judge(one, answer).mistakes.map((m) => `${answer.method}: ${m}`));
  const text = [
    `### input ${one.testIndex}, eps ${one.epsText}\n`,
    `${known(one)}, ${outputsText(one)}.\n`,
    table(COLUMNS, rows),
    ...mistakes.map((mistake) => `- **MISTAKE** ${mistake}`),
  ];
  return `${text.join("\n")}\n`;
}

function known({ exact, sampled }: CaseRecord): string {
  if (exact !== null) return `Exact: ${value(Math.max(...exact))}`;
  return sampled === null ? "Nothing stored" : `Sampled (at least): ${value(Math.max(...sampled))}`;
}

function outputsText({ outputs, outputCount }: CaseRecord): string {
  if (outputs.length === outputCount) return `maximum over all ${outputCount} outputs`;
  const named = outputs.length <= 6 ? ` (${outputs.join(", ")})` : "";
  return `maximum over ${outputs.length} of ${outputCount} outputs${named}`;
}

function answerRow(one: CaseRecord, answer: Answer): string[] {
  const counterpart = COUNTERPART[answer.method];
  const peers = ["0.3.1", "0.7.1"].map((version) => counterpart === null ? "" : peerText(one, counterpart, version));
  if (answer.status !== "done") {
    return [answer.method, answer.status.toUpperCase(), ...new Array<string>(6).fill(""), ...peers, "", answer.detail];
  }
  const { ratio, isLooser, mistakes } = judge(one, answer), { gflop, seconds, peakGflops } = answer;
  const lower = lowerOf(answer);
  return [
    answer.method,
    value(upperOf(answer)),
    lower === null ? "" : value(lower),
    figure(seconds),
    gflop === null ? "" : figure(gflop),
    gflop === null ? "" : percent(gflop / seconds / peakGflops),
    megabytes(answer.kernelBytes),
    megabytes(answer.residentBytes),
    ...peers,
    ratio === null ? "" : ratioText(ratio),
    [...(isLooser ? ["LOOSER"] : []), ...(mistakes.length > 0 ? ["MISTAKE"] : [])].join(" "),
  ];
}

/** "83.389 (0.51 s, 697 MB)": the float64 run of a version where there is one; how many outputs where not as many as asked. */
function peerText(one: CaseRecord, method: string, version: string): string {
  const runs = one.peers.filter(({ key }) => isRunOf(key, method) && key.includes(`@${version}`));
  const run = runs.find(({ key, error }) => key.endsWith("/f64") && error === null) ?? runs[0];
  if (run === undefined) return "";
  if (run.error !== null) return run.error.split(":")[0];
  const bounded = run.uppers.filter((upper) => upper !== null);
  const partial = bounded.length < one.outputs.length ? ` on ${bounded.length}` : "";
  return `${value(maxOrNull(bounded))}${partial}${precision(run)}${costText(run)}`;
}

function precision({ key }: PeerRecord): string {
  return key.endsWith("/f64") ? "" : " f32";
}

function costText({ seconds, residentMb, outputs }: PeerRecord): string {
  const took = seconds === null ? [] : [`${figure(seconds)} s for ${outputs}`];
  const held = residentMb === null ? [] : [`${residentMb} MB`];
  return took.length + held.length === 0 ? "" : ` (${[...took, ...held].join(", ")})`;
}

function value(number: number | null): string {
  if (number === null) return "overflow";
  return number < 1e6 ? number.toPrecision(6) : number < 1e10 ? number.toFixed(0) : number.toExponential(5);
}

function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(6) : "infinite";
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "" : figure(bytes / 1e6);
}

/** A summary over all networks: what linear bounds gain, and what was not answered. */
export function summaryMarkdown(records: readonly ModelRecord[]): string {
  const columns = [
    "model",
    "input",
    "eps",
    "product",
    "interval",
    "recurjac",
    "linear",
    "lower",
    "exact",
    "s",
    "GFLOP",
    "MB",
    "of peak",
    "best peer",
    "",
  ];
  const rows = records.flatMap((record) => {
    if (record.refused !== null) {
      return [[record.name, ...new Array<string>(13).fill(""), `refused: ${record.refused}`]];
    }
    return record.cases.map((one) => summaryRow(record.name, one));
  });
  return `## Overview\n\n${table(columns, rows)}\n`;
}

function summaryRow(name: string, one: CaseRecord): string[] {
  const by = (method: Method) => one.answers.find((answer) => answer.method === method);
  const upper = (method: Method) => {
    const answer = by(method);
    return answer === undefined ? "" : answer.status === "done" ? value(upperOf(answer)) : answer.status;
  };
  const linear = by("linear"), lower = lowerOf(linear);
  const flags = one.answers.flatMap((answer) => {
    const { isLooser, mistakes } = judge(one, answer);
    return [...(isLooser ? [`${answer.method} LOOSER`] : []), ...(mistakes.length > 0 ? ["MISTAKE"] : [])];
  });
  return [
    ...[name, String(one.testIndex), one.epsText],
    ...[upper("product"), upper("interval"), upper("recurjac"), upper("linear")],
    lower === null ? "" : value(lower),
    one.exact === null ? "" : value(Math.max(...one.exact)),
    ...costOf(linear),
    bestPeerText(one),
    flags.join(", "),
  ];
}

/** Seconds, GFLOP, the kernels' memory and the share of the machine's peak. */
function costOf(answer: Answer | undefined): string[] {
  if (answer?.status !== "done") return ["", "", "", ""];
  const { seconds, gflop, kernelBytes, peakGflops } = answer;
  const share = gflop === null ? "" : percent(gflop / seconds / peakGflops);
  return [figure(seconds), gflop === null ? "" : figure(gflop), megabytes(kernelBytes), share];
}

/** The best linear bound stored, and the seconds of the fastest run that has one. */
function bestPeerText(one: CaseRecord): string {
  const method = COUNTERPART.linear;
  if (method === null) return "";
  const bounds = one.best[method];
  const runs = one.peers.filter(({ key, error, seconds }) =>
    isRunOf(key, method) && error === null && seconds !== null
  );
  const fastest = runs.toSorted((a, b) => a.seconds! / a.outputs - b.seconds! / b.outputs)[0];
  const took = fastest === undefined ? "" : ` (${figure(fastest.seconds!)} s for ${fastest.outputs})`;
  return bounds.some((bound) => bound !== null) ? `${value(maxOrNull(bounds.filter((b) => b !== null)))}${took}` : "";
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = columns.map((_, c) => (c === 0 || c === columns.length - 1 ? "---" : "---:"));
  return [line(columns), line(rule), ...rows.map(line)].join("\n");
}
