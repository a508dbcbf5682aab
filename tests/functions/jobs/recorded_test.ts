import assert from "node:assert/strict";
import { after, certificate, jobsSuite, LEASE_MS, submission, taken } from "../../suites/jobs.ts";
import { fakeHouse } from "./fake_house.ts";
import { dyingWith } from "./fake_records.ts";

jobsSuite({ name: "jobs of the board", runs: 60, withinMs: 20, open: () => Promise.resolve(fakeHouse()) });

Deno.test("what a runner saved is handed to the next, the newest only, and is gone with the job", async () => {
  const it = fakeHouse(), jobs = it.open(), bytes = (n: number) => new Uint8Array([n]);
  const kept = () => it.store.blobKeys().filter((key) => key.startsWith("job_checkpoint/")).length;
  await jobs.submit(submission("q"));
  const first = await taken(jobs);
  assert.equal(first.checkpoint, null);
  await jobs.save("q", first.holder, bytes(1));
  await jobs.save("q", first.holder, bytes(2));
  assert.equal(kept(), 1);
  await it.pass(LEASE_MS);
  const second = await taken(jobs);
  assert.deepEqual(second.checkpoint, bytes(2));
  await jobs.save("q", first.holder, bytes(3)); // by one that was lost
  assert.equal(kept(), 1);
  await jobs.giveBack("q", second.holder, false);
  const third = await taken(jobs);
  assert.deepEqual(third.checkpoint, bytes(2));
  await jobs.end("q", third.holder, certificate);
  assert.equal(kept(), 0);
});

Deno.test("wherever a process dies, an acknowledged job ends once, is told of, and leaves the board", async () => {
  let isWhole = false;
  for (let last = 1; !isWhole; last++) {
    assert.ok(last < 100, "a process that submits, takes and ends a job makes fewer calls");
    for (const isMade of [false, true]) {
      const it = fakeHouse(), dying = dyingWith(it.store, last, isMade), one = it.open(dying);
      let acknowledged = false;
      const life = async () => {
        await one.submit(submission("q", "u"));
        acknowledged = true;
        const { holder } = await taken(one);
        await one.hear("q", holder, { nodes: 1, open: 1, upper: 2, lower: 1 });
        await one.end("q", holder, certificate);
      };
      await life().catch(() => {});
      isWhole = !dying.isDead();
      const other = it.open();
      if (!acknowledged) await other.submit(submission("q", "u"));
      for (let i = 0; i < 3; i++) {
        it.time += LEASE_MS;
        const found = await other.take("r", after(2));
        if (found !== null) await other.end("q", found.holder, certificate);
      }
      const job = await other.get("q"), what = `call ${last}, ${isMade ? "made" : "not made"}: ${JSON.stringify(job)}`;
      assert.equal(job?.status, "succeeded", what);
      assert.equal(job.events.filter(({ status }) => status === "succeeded").length, 1, what);
      assert.ok(it.told.length >= 1 && it.told.length <= 2, what);
      assert.equal(new TextDecoder().decode((await it.store.records.get("jobs/board"))!.bytes), "[]", what);
    }
  }
});
