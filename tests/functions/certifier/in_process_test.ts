import assert from "node:assert/strict";
import { inProcessCertifier } from "../../../functions/certifier/in_process.ts";
import type { CertifyCall } from "../../../functions/services.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { digestOf } from "../../../shared/mod.ts";

const BYTES = await Deno.readFile(new URL("../../../functions/samples/mlp16.onnx", import.meta.url));
const BUDGET = { flops: 1e12, bytes: 1e9 };

async function call(radius: number, known = () => Promise.resolve(null)): Promise<CertifyCall> {
  return {
    digest: await digestOf(BYTES),
    request: { region: { center: new Array(16).fill(0), radius }, property: { type: "lipschitz" } },
    model: () => Promise.resolve(BYTES),
    known,
  };
}

Deno.test("inProcessCertifier() gives questions that overlap kernels of their own, and uses them again", async () => {
  let created = 0;
  const certifier = inProcessCertifier(() => (created++, referenceKernels()), BUDGET, 2 ** 20);
  const alone = [await certifier.certify(await call(0.1)), await certifier.certify(await call(0.2))];
  assert.equal(created, 1);
  // The first waits for its store until the second is answered.
  const { promise, resolve } = Promise.withResolvers<null>();
  const first = certifier.certify(await call(0.1, () => promise));
  const second = await certifier.certify(await call(0.2));
  resolve(null);
  assert.deepEqual([await first, second], alone);
  assert.equal(created, 2);
  await certifier.certify(await call(0.3));
  assert.equal(created, 2);
});

Deno.test("inProcessCertifier() does not use kernels again that a failure left behind", async () => {
  let created = 0;
  const certifier = inProcessCertifier(() => (created++, referenceKernels()), BUDGET, 2 ** 20);
  const failing = () => Promise.reject(new Error("no store"));
  await assert.rejects(certifier.certify(await call(0.1, failing)), /no store/);
  await certifier.certify(await call(0.1));
  assert.equal(created, 2);
});
