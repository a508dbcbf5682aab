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
