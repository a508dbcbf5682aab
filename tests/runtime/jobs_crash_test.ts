/** What a job goes through when its process is killed, or its store is locked or full. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { denoHost } from "./hosts.ts";
import {
  asked,
  canceled,
  certificateAt,
  endOf,
  events,
  jobAt,
  longQuestion,
  openQuestion,
  submitted,
} from "./job_requests.ts";
import { ask, expectProblem, keepModel, REGION } from "./requests.ts";
import { started } from "./started.ts";

/** Nodes that take some seconds. */
const NODES = 6_000;

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a job whose process is killed goes on in the next one, and has the certificate of a run in peace", async () => {
  await withFolder(async (folder) => {
    const env = { LIPCERT_KV: `${folder}/store.sqlite3` };
    const first = await started(env);
    const question = await openQuestion(first, NODES);
    const { id } = await submitted(first, question);
    // Long enough for a checkpoint.
    for await (const { data } of events(first, id)) if ((data.progress?.elapsed_ms ?? 0) > 3000) break;
    assert.equal((await jobAt(first, id)).status, "running");
    await first.end("SIGKILL");
    const second = await started(env);
    try {
      assert.equal((await jobAt(second, id)).status, "running"); // by nobody, as will be found out
      const done = await endOf(second, id);
      assert.equal(done.status, "succeeded");
      const { text, certificate } = await certificateAt(second, done.certificate_id!);
      assert.equal(certificate.reproducible, true);
      const peaceful = await denoHost();
      try {
        await openQuestion(peaceful);
        assert.equal((await ask(peaceful, question)).text, text);
      } finally {
        await peaceful.close();
      }
    } finally {
      await second.close();
    }
  });
});

Deno.test("a process that is told to end gives its job back, and the next one takes it at once", async () => {
  await withFolder(async (folder) => {
    const env = { LIPCERT_KV: `${folder}/store.sqlite3` };
    const first = await started(env);
    const { id } = await submitted(first, await longQuestion(first));
    const watching = endOf(first, id).catch(() => null); // a stream that is open does not hold the process
    for await (const { data } of events(first, id)) if (data.status === "running") break;
    assert.equal((await first.end("SIGTERM")).code, 0);
    await watching;
    const second = await started(env);
    try {
      for await (const { data } of events(second, id)) if (data.progress !== null) break;
      await canceled(second, id);
      const { status, certificate_id } = await endOf(second, id);
      assert.equal(status, "canceled");
      await certificateAt(second, certificate_id!);
    } finally {
      await second.close();
    }
  });
});

Deno.test("a store that is locked is 503 with a reason; when it is free again the job ends, computed once", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/store.sqlite3`, host = await started({ LIPCERT_KV: path });
    try {
      const digest = await keepModel(host);
      const { id } = await submitted(host, await longQuestion(host, 2000));
      const lock = new DatabaseSync(path);
      lock.exec("PRAGMA busy_timeout = 5000");
      lock.exec("BEGIN EXCLUSIVE");
      const body = { model: { digest }, region: REGION, property: { type: "lipschitz" } };
      await expectProblem(await asked(host, body, { prefer: "respond-async" }), "store-unavailable", 503);
      assert.equal((await host.fetch("/healthz")).status, 200);
      lock.exec("ROLLBACK");
      lock.close();
      assert.equal((await endOf(host, id)).status, "succeeded");
      assert.equal((await endOf(host, (await submitted(host, body)).id)).status, "succeeded");
    } finally {
      await host.close();
    }
  });
});

Deno.test("a store that is full is 503 with a reason, and nothing hangs", async () => {
  await withFolder(async (folder) => {
    // Files of at most 200 KiB, and no signal where one would grow: writing fails as it does on a full disk.
    const host = await started({ LIPCERT_KV: `${folder}/store.sqlite3` }, "trap '' XFSZ; ulimit -f 400");
    try {
      const statuses = new Set<number>();
      for (let i = 0; i < 40 && !statuses.has(503); i++) {
        const region = { center: new Array(16).fill(i / 100), radius: 0.05 };
        const digest = await keepModel(host);
        const body = { model: { digest }, region, property: { type: "lipschitz" } };
        const response = await asked(host, body, { prefer: "respond-async" });
        statuses.add(response.status);
        if (response.status === 503) await expectProblem(response, "store-unavailable", 503);
        else await response.body?.cancel();
      }
      assert.ok(statuses.has(503), [...statuses].join());
      assert.equal((await host.fetch("/healthz")).status, 200);
    } finally {
      await host.end("SIGKILL");
    }
  });
});
