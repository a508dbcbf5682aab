/** Searches as bytes, and what goes on from them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Checkpoint, packCheckpoint, unpackCheckpoint } from "../../shared/checkpoint.ts";
import { LipcertError } from "../../shared/errors.ts";
import { search } from "../../shared/search/loop.ts";
import { Certificate as Schema } from "../../functions/schemas/certificate.ts";
import type { LipschitzFinding } from "../../shared/certificate/finding.ts";
import { inconsistency } from "../../shared/consistency.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import {
  canonicalBytes,
  certify,
  type CertifyContext,
  type Conduct,
  cut,
  join,
  type Query,
  type SavedSearch,
} from "../../shared/mod.ts";
import module from "../../wasm/dist/kernels.js";
import { openQuestion } from "../bench/questions.ts";
import { drawRegion } from "./search/pieces.ts";
import { taskOf } from "./search/search_claims.ts";

const SEED = 20_261_135;

async function savedSearches(): Promise<Checkpoint[]> {
  const saves: Checkpoint[] = [];
  for (let index = 0; index < 12; index++) {
    const drawn = await drawRegion(SEED, index);
    if (drawn === undefined) continue;
    const { roots, task } = taskOf(drawn, 60);
    await search(roots, task, {
      onRound: (save) => {
        saves.push({ attempt: 1, done: { flops: 5, rows: 2 }, search: { tree: save(), work: { flops: 7, rows: 3 } } });
      },
    });
  }
  return saves;
}

Deno.test(`a checkpoint is the same after it was bytes, bit for bit (seed ${SEED})`, async () => {
  const saves = await savedSearches();
  assert.ok(saves.length > 10 && saves.some(({ search }) => search.tree.frontier.length > 1));
  for (const saved of saves) {
    const bytes = packCheckpoint(saved), again = unpackCheckpoint(bytes);
    assert.deepEqual(again, saved);
    // -0, NaN and the order of members too.
    assert.deepEqual(packCheckpoint(again), bytes);
  }
});

Deno.test("numbers that JSON has not, and arrays that nodes share, come through", async () => {
  const [saved] = await savedSearches(), [{ node }] = saved.search.tree.frontier;
  const odd = { ...node, upper: Infinity, multipliers: Float32Array.of(NaN, -0, -Infinity) };
  const holding = (...nodes: typeof odd[]): Checkpoint => {
    const frontier = nodes.map((node, at) => ({ node, order: at === 0 ? -0 : at }));
    return { ...saved, search: { ...saved.search, tree: { ...saved.search.tree, frontier } } };
  };
  const packed = packCheckpoint(holding(odd, odd)), { frontier: [a, b] } = unpackCheckpoint(packed).search.tree;
  assert.deepEqual(a.node, odd);
  assert.ok(Object.is(a.order, -0));
  assert.equal(a.node.multipliers, b.node.multipliers);
  assert.ok(packed.length < packCheckpoint(holding(odd, structuredClone(odd))).length);
});

Deno.test("bytes that are no checkpoint are refused, whatever was done to them", async () => {
  const [saved] = await savedSearches(), bytes = packCheckpoint(saved);
  const refused = (changed: Uint8Array) =>
    assert.throws(
      () => unpackCheckpoint(changed),
      (error) => error instanceof LipcertError && error.type === "malformed-body",
    );
  for (const length of [0, 3, 11, 12, 40, bytes.length - 8]) refused(bytes.slice(0, length));
  refused(bytes.with(0, 0));
  refused(bytes.with(4, 2));
  refused(bytes.with(11, 255));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      try {
        unpackCheckpoint(bytes.with(at, value));
      } catch (error) {
        if (!(error instanceof LipcertError)) throw error;
      }
    }),
    { numRuns: 300, seed: SEED },
  );
});

const kernels = wasmKernels(module);
const QUESTIONS: readonly [model: string, eps: number, property: Query["property"], arithmetic: "f64" | "auto"][] = [
  ["synthetic_w32_d6", 0.05, { type: "lipschitz", outputs: [0, 3] }, "f64"],
  ["synthetic_w32_d6", 0.05, { type: "lipschitz", outputs: [1] }, "auto"],
  ["diabetes_mlp", 0.05, { type: "monotonicity", output: 0, features: [0, 2, 8] }, "f64"],
  ["diabetes_mlp", 0.05, { type: "jacobian_bounds", outputs: [0] }, "f64"],
  ["synthetic_w32_d6", 0.05, { type: "output_bounds", outputs: [1, 2] }, "f64"],
];

for (const [name, eps, property, arithmetic] of QUESTIONS) {
  Deno.test(`certify() goes on from a checkpoint to the same bytes: ${property.type} of ${name}, ${arithmetic}`, async () => {
    const { model, query: asked } = await openQuestion(name, eps);
    const query = { ...asked, property, options: { ...asked.options, arithmetic, search: { max_nodes: 120, gap: 0 } } };
    const bytesOf = async (context: Partial<CertifyContext> = {}) =>
      new TextDecoder().decode(canonicalBytes(await certify(model, query, { kernels, ...context })));
    const checkpoints: Uint8Array[] = [];
    const whole = await bytesOf({ onCheckpoint: (save) => void checkpoints.push(packCheckpoint(save())) });
    assert.equal(await bytesOf(), whole);
    assert.ok(checkpoints.length > 2, `${checkpoints.length} rounds`);
    for (const at of [0, checkpoints.length >> 1, checkpoints.length - 1]) {
      assert.equal(await bytesOf({ checkpoint: unpackCheckpoint(checkpoints[at]) }), whole);
    }
  });
}

Deno.test("certify() takes no part for the whole: neither from a checkpoint nor from who conducts, and saves none", async () => {
  const { model, query: asked } = await openQuestion("synthetic_w32_d6", 0.05);
  const property = { type: "lipschitz", outputs: [0] } as const;
  const query = { ...asked, property, options: { ...asked.options, search: { max_nodes: 200, gap: 0 } } };
  const saves: Checkpoint[] = [];
  const onCheckpoint = (save: () => Checkpoint) => void saves.push(save());
  const onePart: Conduct = async ({ begun, advance }) => {
    const first = await advance(begun.tree, { nodes: 20 });
    return { ...await advance(cut(first.tree, 2)[1]), parts: 2 };
  };
  await assert.rejects(certify(model, query, { kernels, conduct: onePart, onCheckpoint }), /part of a search/);
  assert.equal(saves.length, 0);
  await certify(model, query, { kernels, onCheckpoint });
  const [first] = saves, [part] = cut(first.search.tree, 2);
  const checkpoint = { ...first, search: { ...first.search, tree: part } };
  await assert.rejects(certify(model, query, { kernels, checkpoint }), /part of a search/);
});

Deno.test("certify() of a search in parts: the exact constant, not called reproducible, and work of all", async () => {
  const { model, query: asked } = await openQuestion("synthetic_w32_d6", 0.05);
  const property = { type: "lipschitz", outputs: [0, 1, 2, 3] } as const;
  const query = { ...asked, property, options: { ...asked.options, search: { max_nodes: 5000, gap: 0 } } };
  const alone = await certify(model, query, { kernels });
  let told = 0;
  const conduct: Conduct = async ({ begun, advance }) => {
    const first = await advance(begun.tree, { nodes: 20 }), parts = cut(first.tree, 3);
    const done: SavedSearch[] = [];
    let best = first.tree.proved.map(() => ({ lower: -Infinity, point: null as Float64Array | null }));
    for (const part of parts) {
      const heard = () => (told++, best);
      const one = await advance(part, { heard });
      best = one.tree.proved.map(({ lower, point }, tree) =>
        lower !== null && lower > best[tree].lower ? { lower, point: Float64Array.from(point!) } : best[tree]
      );
      done.push(one);
    }
    const sum = (of: "flops" | "rows") => [first, ...done].reduce((total, { work }) => total + work[of], 0);
    return { tree: join(done.map(({ tree }) => tree)), work: { flops: sum("flops"), rows: sum("rows") }, parts: 3 };
  };
  const apart = await certify(model, query, { kernels, conduct });
  const [one, three] = [alone.finding, apart.finding] as LipschitzFinding[];
  assert.ok(one.exact && three.exact && told > 3);
  assert.ok(Math.abs(one.upper! - three.upper!) <= 1e-9 * one.upper!, `${one.upper} alone, ${three.upper} in parts`);
  assert.deepEqual([alone.reproducible, apart.reproducible], [true, false]);
  assert.equal(apart.method.search.parts, 3);
  assert.equal(inconsistency(apart), null);
  assert.deepEqual(Schema.parse(apart), apart);
  assert.ok(apart.method.search.nodes > 20 && apart.work.gflop > 0);
});
