import assert from "node:assert/strict";
import { denoHost } from "./hosts.ts";
import { REFUSALS } from "./refusals.ts";
import { SCENES } from "./scenes.ts";

Deno.test("entry_deno plays the HTTP scenes", async (t) => {
  const host = await denoHost();
  try {
    for (const { fact, play } of [...SCENES, ...REFUSALS]) await t.step(fact, () => play(host));
  } finally {
    await host.close();
  }
});

Deno.test("entry_deno without jobs refuses callbacks and ignores Prefer, as a Worker does", async (t) => {
  const host = await denoHost({ LIPCERT_JOB_WORKERS: "0" });
  try {
    for (const { fact, play } of REFUSALS) await t.step(fact, () => play(host));
    const { jobs } = await (await host.fetch("/v1/capabilities")).json() as { jobs: boolean };
    assert.equal(jobs, false);
  } finally {
    await host.close();
  }
});
