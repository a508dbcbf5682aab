import assert from "node:assert/strict";
import { questionOf, readModel, resolveQuery } from "../../shared/mod.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { buildMlp, type MlpLayer } from "../models/build.ts";
import { denoHost, type ServedDeno } from "./hosts.ts";
import { ask, type Description, keepModel, postJson, postModel, REGION } from "./requests.ts";

const INPUTS = 1024;
const WIDTHS = [INPUTS, 1024, 1024, 1024, 1024, 16];

/** A network so wide, and so unstable over a large box, that a question of it takes many seconds. */
function wideNetwork(): Uint8Array<ArrayBuffer> {
  let state = 1;
  const weight = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) / 16;
  };
  const layers: MlpLayer[] = WIDTHS.slice(1).map((rows, layer) => ({
    weights: Array.from({ length: rows }, () => Array.from({ length: WIDTHS[layer] }, weight)),
  }));
  return buildMlp({ layers, type: "float32" });
}

const LONG = {
  region: { center: new Array<number>(INPUTS).fill(0), radius: 1 },
  property: { type: "lipschitz" as const },
};

interface Running {
  readonly host: ServedDeno;
  readonly question: string;
  /** Closes the connection of the long question. */
  readonly leave: () => void;
  /** Whether the long question got an answer of any kind. */
  readonly answered: () => boolean;
}

/** A host with one Worker, busy with a long question. */
async function withLongQuestion(body: (running: Running) => Promise<void>): Promise<void> {
  const host = await denoHost({ LIPCERT_BODY_MIB: "64", LIPCERT_WORKERS: "1" });
  const caller = new AbortController();
  try {
    await keepModel(host);
    const bytes = wideNetwork();
    const { digest } = await (await host.fetch("/v1/models", postModel(bytes))).json() as Description;
    const question = await questionOf(await resolveQuery(LONG, await readModel(bytes), referenceKernels()));
    let answered = false;
    const asked = host.fetch("/v1/certify", { ...postJson({ model: { digest }, ...LONG }), signal: caller.signal })
      .then((response) => {
        answered = true;
        return response.body?.cancel();
      }, () => {});
    await new Promise((resolve) => setTimeout(resolve, 300)); // the question reaches its Worker
    await body({ host, question, leave: () => caller.abort(), answered: () => answered });
    caller.abort();
    await asked;
  } finally {
    await host.close();
  }
}

Deno.test("entry_deno answers /healthz and refuses bad questions while a long question runs", async () => {
  await withLongQuestion(async ({ host, answered }) => {
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await (await host.fetch("/healthz")).json(), { status: "ok" });
      const refused = await host.fetch("/v1/certify", postJson("{"));
      await refused.body?.cancel();
      assert.equal(refused.status, 400);
    }
    assert.equal(answered(), false);
  });
});

Deno.test("entry_deno stops the question of a client that disconnects, and keeps nothing of it", async () => {
  await withLongQuestion(async ({ host, question, leave }) => {
    const digest = await keepModel(host);
    leave();
    // The only Worker takes this question when it has left the other.
    await ask(host, { model: { digest }, region: REGION, property: { type: "lipschitz" } });
    assert.equal(await host.services.certificates.findByQuestion(question), null);
    assert.ok(host.requests.some(({ path, status }) => path === "/v1/certify" && status === 499));
  });
});
