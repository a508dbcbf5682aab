/**
 * `deno task paper`: a folder of benchmark networks through the engine, beside the stored values of other tools.
 *
 * `--models DIR` (models/NAME.onnx, lipschitz/NAME.json); `--only NAME,NAME`; `--eps 1/255,8/255` (default: those stored);
 * `--inputs 3,4` (test indices); `--methods product,interval,recurjac,linear`; `--outputs stored` (what the peers bounded
 * linearly, the default), `all`, or a number; `--limit SECONDS` a question (600); `--runs N`, the fastest counts (1; the
 * first question of a network also pays for compiling the engine); `--out FOLDER`.
 *
 * With `--out` every network is kept as FOLDER/NAME.json, and paper.md and curves are drawn from all that lie there, so a
 * long run may be split by `--only`; without `--models` they are only drawn again. Ends with 1 if a bound cannot be true.
 */
import { parseArgs } from "node:util";
import { load, loadWarning, machine } from "../bench/machine.ts";
import { figure } from "../bench/report.ts";
import { type Answer, type Box, type Method, METHODS } from "./answers.ts";
import { ask, questionsOf } from "./ask.ts";
import { curvesOf } from "./curves.ts";
import { caseRecord, judge, type ModelRecord, upperOf } from "./record.ts";
import { epsText, modelNames, outputsAsked, readModelCases } from "./stored.ts";
import { modelMarkdown, summaryMarkdown } from "./tables.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    models: { type: "string" },
    only: { type: "string" },
    eps: { type: "string" },
    inputs: { type: "string" },
    methods: { type: "string", default: METHODS.join(",") },
    outputs: { type: "string", default: "stored" },
    limit: { type: "string", default: "600" },
    runs: { type: "string", default: "1" },
    out: { type: "string" },
  },
});

const limitSeconds = Number(values.limit);
if (!(limitSeconds > 0)) throw new RangeError("--limit must be a positive number of seconds");

const runs = Number(values.runs);
if (!(Number.isInteger(runs) && runs > 0)) throw new RangeError("--runs must be a positive whole number");

function outputsWanted(): "stored" | "all" | number {
  if (values.outputs === "stored" || values.outputs === "all") return values.outputs;
  const count = Number(values.outputs);
  if (!(Number.isInteger(count) && count > 0)) throw new RangeError("--outputs is stored, all or a number");
  return count;
}

function methodsWanted(): Method[] {
  return values.methods.split(",").map((name) => {
    const method = METHODS.find((known) => known === name);
    if (method === undefined) throw new RangeError(`--methods knows ${METHODS.join(", ")}, not ${name}`);
    return method;
  });
}

async function namesWanted(folder: string): Promise<string[]> {
  const names = await modelNames(folder), only = values.only?.split(",") ?? names;
  for (const name of only) if (!names.includes(name)) throw new RangeError(`Cannot find a model ${name} in ${folder}`);
  return only;
}

async function recordOf(folder: string, name: string): Promise<ModelRecord> {
  const chosen = { eps: values.eps?.split(",") ?? null, inputs: values.inputs?.split(",").map(Number) ?? null };
  const { file, cases, stored } = await readModelCases(folder, name, chosen);
  const boxes = cases.map((one): Box => ({
    // The doubles that the peers were given.
    lower: one.input.map((x) => Math.max(x - one.eps, 0)),
    upper: one.input.map((x) => Math.min(x + one.eps, 1)),
    outputs: outputsAsked(one, outputsWanted(), stored),
  }));
  const questions = questionsOf(boxes.length, methodsWanted());
  const { refused, answers } = await ask({ file, boxes, questions, limitSeconds, runs }, (answer) => {
    console.error(progress(name, epsText(cases[answer.box]), answer));
  });
  if (refused !== null) console.error(`${name}: refused: ${refused}`);
  return {
    name,
    date: new Date().toISOString(),
    machine: await machine(),
    limitSeconds,
    refused,
    cases: refused === null
      ? cases.map((one, i) => caseRecord(one, boxes[i].outputs, answers.filter(({ box }) => box === i)))
      : [],
  };
}

function progress(name: string, eps: string, answer: Answer): string {
  const outcome = answer.status === "done"
    ? `${upperOf(answer) ?? "overflow"} in ${figure(answer.seconds)} s`
    : `${answer.status}: ${answer.detail}`;
  return `${name} eps ${eps} ${answer.method}: ${outcome}`;
}

async function readRecords(folder: string): Promise<ModelRecord[]> {
  const records: ModelRecord[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".json")) records.push(JSON.parse(await Deno.readTextFile(`${folder}/${name}`)));
  }
  return records.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

async function draw(folder: string): Promise<void> {
  const records = await readRecords(folder), curves = curvesOf(records);
  for (const { file, svg } of curves) await Deno.writeTextFile(`${folder}/${file}`, svg);
  const images = curves.map(({ file, title }) => `![${title}](${file})\n`);
  const parts = ["# Local Lipschitz constants\n", summaryMarkdown(records), ...images, ...records.map(modelMarkdown)];
  await Deno.writeTextFile(`${folder}/paper.md`, parts.join("\n"));
  console.error(`${folder}/paper.md: ${records.length} networks, ${curves.length} curves`);
}

const { models, out } = values;
if (models === undefined && out === undefined) throw new RangeError("--models DIR or --out FOLDER is needed");
if (out !== undefined) await Deno.mkdir(out, { recursive: true });
let mistakes = 0;
if (models !== undefined) {
  console.error(loadWarning("at the start", load()));
  for (const name of await namesWanted(models)) {
    const record = await recordOf(models, name);
    console.log(modelMarkdown(record));
    for (const one of record.cases) {
      for (const answer of one.answers) mistakes += judge(one, answer).mistakes.length;
    }
    if (out !== undefined) await Deno.writeTextFile(`${out}/${name}.json`, `${JSON.stringify(record, null, 1)}\n`);
  }
}
if (out !== undefined) await draw(out);
if (mistakes > 0) console.error(`${mistakes} bounds cannot be true`);
Deno.exit(mistakes > 0 ? 1 : 0);
