/**
 * The large randomised check: 2,000 networks against exact values. Writes latest.json beside this file.
 *
 * Run: deno task campaign [--networks N] [--seed S]. The report depends on the plan and the engine's version alone.
 */
import { createKernels } from "../../functions/kernels.ts";
import { ENGINE_VERSION } from "../../shared/version.ts";
import { runCampaign } from "../soundness/campaign.ts";

const NETWORKS = 2000;
const SEED = 20_261_124;
const POINTS = 6;

function option(name: string, standard: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  const value = at < 0 ? standard : Number(Deno.args[at + 1]);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} takes a positive integer`);
  return value;
}

const plan = {
  seed: option("seed", SEED),
  networks: option("networks", NETWORKS),
  points: POINTS,
  kernels: createKernels(2 ** 29),
};
const report = await runCampaign(plan, (index, violations) => {
  if ((index + 1) % 100 === 0) console.log(`${index + 1} of ${plan.networks} networks, ${violations} violations`);
});
const { kernels, points } = plan;
const written = { engine_version: ENGINE_VERSION, kernels: kernels.name, points, ...report };
await Deno.writeTextFile(new URL("latest.json", import.meta.url), `${JSON.stringify(written, null, 2)}\n`);
console.log(JSON.stringify(written, null, 2));
if (report.violations > 0) Deno.exit(1);
