import assert from "node:assert/strict";
import { continued } from "../../../functions/certifier/checkpoints.ts";
import { type Checkpoint, unpackCheckpoint } from "../../../shared/mod.ts";

/** A save whose size follows the number of open nodes. */
function saveOf(open: number): Checkpoint {
  const frontier = Array.from({ length: open }, () => ({ node: { weights: new Float64Array(1000) }, order: 0 }));
  return {
    attempt: 0,
    done: { flops: 1, rows: 1 },
    search: { tree: { frontier }, work: { flops: 1, rows: 1 } },
  } as unknown as Checkpoint;
}

Deno.test("continued() saves early, then seldom, and not what has grown too large", () => {
  let now = 0, asked = 0;
  const kept: Uint8Array[] = [];
  const call = { onCheckpoint: (bytes: Uint8Array<ArrayBuffer>) => void kept.push(bytes) };
  const heard = continued(call as unknown as Parameters<typeof continued>[0], () => now);
  const round = (ms: number, open: number) => {
    now += ms;
    heard.onSearch!({ nodes: 1, open, rounds: 1, upper: 1, lower: 0 });
    heard.onCheckpoint!(() => {
      asked++;
      return saveOf(open);
    });
    return kept.length;
  };
  assert.equal(round(900, 10), 0);
  assert.equal(round(200, 10), 1);
  assert.equal(round(1000, 10), 1);
  assert.equal(round(40_000, 20), 2);
  assert.equal(asked, 2);
  assert.equal(round(40_000, 5000), 2); // 40 MB
  assert.equal(asked, 2); // not even copied
  assert.equal(round(40_000, 30), 3);
  assert.equal(unpackCheckpoint(kept[2]).search.tree.frontier.length, 30);
});

Deno.test("continued() hears of nothing for a call that keeps nothing", () => {
  assert.deepEqual(continued({} as Parameters<typeof continued>[0]), {});
});
