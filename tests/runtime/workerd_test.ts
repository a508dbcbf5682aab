import assert from "node:assert/strict";
import { denoHost, workerdHost } from "./hosts.ts";
import { ask, CONVOLUTIONAL, IMAGE, MODEL, REGION } from "./requests.ts";
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
    const recorded = { search: { max_nodes: 60, record: true } };
    for (const type of ["lipschitz", "output_bounds", "robustness"]) {
      const body = { model, region: { ...REGION, radius: 0.3 }, property: { type }, options: recorded };
      assert.equal((await ask(workerd, body)).text, (await ask(deno, body)).text);
    }
    const convolutional = { onnx: CONVOLUTIONAL.toBase64() };
    const region = { center: IMAGE, radius: 0.004, clip: [0, 1] };
    for (const property of [{ type: "lipschitz" }, { type: "robustness" }, { type: "output_bounds", outputs: [3] }]) {
      const body = { model: convolutional, region, property };
      const [there, here] = [await ask(workerd, body), await ask(deno, body)];
      assert.equal(there.certificate.id, here.certificate.id);
      assert.equal(there.text, here.text);
    }
  } finally {
    await workerd.close();
    await deno.close();
  }
});
