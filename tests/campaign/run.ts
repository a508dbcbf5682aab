/**
 * The large randomised check: 2,000 dense networks and 500 convolutional ones against exact values, a fourth of them
 * with coefficients in f32, and searches over 500 small ones against all their regions. Writes latest.json beside this
 * file.
 *
 * Run: deno task campaign [--only bounds|search] [--networks N] [--convolutional N] [--searched N] [--seed S]. The report
 * depends on the plan and the engine's version alone; a part that is not run keeps its last numbers.
 */
import { createKernels } from "../../functions/kernels.ts";
import { ENGINE_VERSION } from "../../shared/version.ts";
import { runCampaign } from "../soundness/campaign.ts";
import { runConvolutional } from "../soundness/convolutional.ts";
import { runSearches } from "../soundness/search_campaign.ts";

const NETWORKS = 2000;
const CONVOLUTIONAL = 500;
const SEARCHED = 500;
/** Of a search: all but a few networks take some hundreds. */
const NODES = 32_768;
const SEED = 20_261_124;
const POINTS = 6;

function option(name: string, standard: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  const value = at < 0 ? standard : Number(Deno.args[at + 1]);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} takes a positive integer`);
  return value;
}

const seed = option("seed", SEED), points = POINTS, kernels = createKernels(2 ** 29);
const networks = option("networks", NETWORKS), convolutional = option("convolutional", CONVOLUTIONAL);
const searched = option("searched", SEARCHED);
const tell = (of: number, kind: string) => (index: number, violations: number) => {
  if ((index + 1) % 100 === 0) console.log(`${index + 1} of ${of} ${kind} networks, ${violations} violations`);
};
const only = Deno.args.includes("--only") ? Deno.args[Deno.args.indexOf("--only") + 1] : null;
if (only !== null && only !== "bounds" && only !== "search") throw new RangeError("--only takes bounds or search");
const place = new URL("latest.json", import.meta.url);

/** Bounds of one pass, in f64 and in f32; the number of violations beside them. */
async function runBounds() {
  const report = await runCampaign({ seed, networks, points, kernels }, tell(networks, "dense"));
  const plan = { seed, networks: convolutional, points, kernels, questionsEvery: 5 };
  const windows = await runConvolutional(plan, tell(convolutional, "convolutional"));
  // The networks behind those: others.
  const f32 = { seed: seed + 1, points, kernels, precision: "f32" } as const, some = Math.ceil(networks / 4);
  const single = await runCampaign({ ...f32, networks: some }, tell(some, "dense f32"));
  const someWindows = Math.ceil(convolutional / 4), singlePlan = { ...f32, networks: someWindows, questionsEvery: 5 };
  const singleWindows = await runConvolutional(singlePlan, tell(someWindows, "convolutional f32"));
  const violations = [report, windows, single, singleWindows].reduce((sum, one) => sum + one.violations, 0);
  const written = { ...report, convolutional: windows, f32: { ...single, convolutional: singleWindows } };
  return { written: { engine_version: ENGINE_VERSION, kernels: kernels.name, points, ...written }, violations };
}

/** Searches of small networks. */
async function runSearch() {
  const report = await runSearches({ seed, networks: searched, kernels, max_nodes: NODES }, tell(searched, "searched"));
  return { written: { search: { engine_version: ENGINE_VERSION, ...report } }, violations: report.violations };
}

const parts = [...(only === "search" ? [] : [await runBounds()]), ...(only === "bounds" ? [] : [await runSearch()])];
const kept = only === null ? {} : JSON.parse(await Deno.readTextFile(place));
const written = Object.assign(kept, ...parts.map((part) => part.written));
await Deno.writeTextFile(place, `${JSON.stringify(written, null, 2)}\n`);
console.log(JSON.stringify(Object.assign({}, ...parts.map((part) => part.written)), null, 2));
if (parts.some(({ violations }) => violations > 0)) Deno.exit(1);
