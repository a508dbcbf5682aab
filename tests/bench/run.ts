/**
 * `deno task bench`: prints, in Markdown, how fast everything is in relation to the machine's own limit.
 *
 * `--json FILE` keeps the raw figures; `--only kernels,questions,search,nodes,http,threads,growth,worker` chooses; `--samples N` (30);
 * `--readme` writes the table of searches into README.md; `--against REV` compares the engine with that of another revision
 * and does nothing else. Keep the other cores idle.
 */
import { parseArgs } from "node:util";
import { againstSection } from "./against_section.ts";
import { growthSections } from "./growth_section.ts";
import { httpSection } from "./http_section.ts";
import { kernelsSection } from "./kernels_section.ts";
import { load, loadWarning, machine } from "./machine.ts";
import { questionsSections } from "./questions_section.ts";
import { nodesSection } from "./nodes_section.ts";
import { markdownOf, type Section, withTable } from "./report.ts";
import { searchSection } from "./search_section.ts";
import { threadsSection } from "./threads_section.ts";
import { WRANGLER_ENVIRONMENT } from "./worker_bundle.ts";
import { workerSection } from "./worker_section.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "string" },
    against: { type: "string" },
    only: { type: "string" },
    samples: { type: "string", default: "30" },
    readme: { type: "boolean", default: false },
  },
});

const samples = Number(values.samples);
if (!(Number.isInteger(samples) && samples > 0)) throw new RangeError("--samples must be a positive whole number");

const PARTS: Readonly<Record<string, () => Promise<Section[]>>> = {
  kernels: async () => [await kernelsSection(2 * samples)],
  questions: () => questionsSections(samples),
  search: async () => [await searchSection()],
  nodes: async () => [await nodesSection(5)],
  http: async () => [await httpSection(Math.max(200, samples))],
  threads: async () => [await threadsSection(samples)],
  growth: () => growthSections(samples),
  worker: async () => [await workerSection()],
};

function chosenParts(): (() => Promise<Section[]>)[] {
  const { against } = values;
  if (against !== undefined) return [async () => [await againstSection(against, samples)]];
  return (values.only?.split(",") ?? Object.keys(PARTS)).map((name) => {
    if (!Object.hasOwn(PARTS, name)) throw new RangeError(`--only knows ${Object.keys(PARTS).join(", ")}, not ${name}`);
    return PARTS[name];
  });
}

for (const [name, value] of Object.entries(WRANGLER_ENVIRONMENT)) Deno.env.set(name, value);
const where = await machine();
const loadAtStart = load();
console.log(`# Speed of lipcert ${where.revision}\n`);
console.log(
  `${where.processor}, ${where.cores} cores, Deno ${where.deno}, V8 ${where.v8}, one thread unless said, f64.`,
);
console.log(`${loadWarning("at the start", loadAtStart)}\n`);
const sections: Section[] = [];
for (const part of chosenParts()) {
  for (const section of await part()) {
    sections.push(section);
    console.log(markdownOf(section));
  }
}
const loadAtEnd = load();
console.log(loadWarning("at the end (the bench itself keeps one core busy)", Math.max(0, loadAtEnd - 1)));
if (values.json !== undefined) {
  const figures = Object.fromEntries(sections.map(({ title, figures }) => [title, figures]));
  const record = { date: new Date().toISOString(), ...where, load: [loadAtStart, loadAtEnd], figures };
  await Deno.writeTextFile(values.json, `${JSON.stringify(record, null, 1)}\n`);
}
if (values.readme) {
  const place = new URL("../../README.md", import.meta.url), said = sayWhere();
  const written = sections.reduce((text, one) => withTable(text, one, said), await Deno.readTextFile(place));
  await Deno.writeTextFile(place, written);
}
Deno.exit(0);

/** Under a table that leaves this page: the machine, and how busy it was. */
function sayWhere(): string {
  const { processor, cores, deno } = where, busy = Math.max(loadAtStart, loadAtEnd - 1);
  return `${processor}, ${cores} cores, Deno ${deno}, one thread, f64; load of other programs ${busy.toFixed(1)}.`;
}
