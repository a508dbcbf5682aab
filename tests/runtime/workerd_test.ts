import assert from "node:assert/strict";
import { denoHost, workerdHost } from "./hosts.ts";
import { ask, MODEL, REGION } from "./requests.ts";
import { REFUSALS } from "./refusals.ts";
import { SCENES } from "./scenes.ts";

// The harness keeps its workerd process and sockets of its own.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("entry_worker plays the HTTP scenes in workerd", options, async (t) => {
  const host = await workerdHost();
  try {
    for (const { fact, play } of [...SCENES, ...REFUSALS]) await t.step(fact, () => play(host));
  } finally {
    await host.close();
  }
});

Deno.test("entry_worker issues byte for byte the certificates of entry_deno", options, async () => {
  const [workerd, deno] = [await workerdHost(), await denoHost()];
  try {
    const model = { onnx: MODEL.toBase64() };
    for (const radius of [0, 0.02, 0.3]) {
      for (const type of ["lipschitz", "jacobian_bounds", "output_bounds", "robustness"]) {
        for (const relaxation of ["linear", "recurjac", "interval"]) {
          for (const arithmetic of ["auto", "f32"]) {
            const options = { relaxation, arithmetic };
            const body = { model, region: { ...REGION, radius }, property: { type }, options };
            const { text, certificate } = await ask(workerd, body);
            assert.equal(text, (await ask(deno, body)).text);
            assert.equal(certificate.arithmetic.kind, arithmetic === "f32" ? "f32-outward" : "f64-outward");
          }
        }
      }
    }
  } finally {
    await workerd.close();
    await deno.close();
  }
});
