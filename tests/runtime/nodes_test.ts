/** Nodes that share their jobs over a real Redis, and what they go through when processes are killed. */
import assert from "node:assert/strict";
import { REDIS_SERVER, type RedisServer, redisServer } from "../stores/servers.ts";
import { denoHost } from "./hosts.ts";
import { canceled, certificateAt, endOf, events, jobAt, openQuestion, submitted } from "./job_requests.ts";
import { ask, keepModel, REGION } from "./requests.ts";
import { type Started, startedNode } from "./started.ts";

/** Nodes of a search that take some seconds. */
const NODES = 3000;

interface Scene {
  readonly redis: RedisServer;
  node(env?: Record<string, string>): Promise<Started>;
}

function nodesTest(name: string, play: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name,
    ignore: REDIS_SERVER === null,
    async fn() {
      const redis = await redisServer(), nodes: Started[] = [];
      await redis.start();
      try {
        await play({
          redis,
          async node(env) {
            const node = await startedNode(redis.address, env);
            nodes.push(node);
            return node;
          },
        });
      } catch (error) {
        for (const node of nodes) console.log(node.log());
        throw error;
      } finally {
        await Promise.all(nodes.map((node) => node.end("SIGKILL")));
        await redis.close();
      }
    },
  });
}

/** The bytes that a host in peace gives. */
async function inPeace(body: unknown): Promise<string> {
  const host = await denoHost();
  try {
    await openQuestion(host);
    return (await ask(host, body)).text;
  } finally {
    await host.close();
  }
}

/** Waits until the job's search has been heard of. */
async function isUnderWay(node: Started, id: string): Promise<void> {
  for await (const { data } of events(node, id)) if (data.progress !== null) return;
}

nodesTest(
  "a node alone is a service: models, questions at once, jobs, events, an end before its time",
  async ({ node }) => {
    const host = await node();
    const digest = await keepModel(host);
    const body = { model: { digest }, region: REGION, property: { type: "lipschitz" } };
    const { text } = await ask(host, body);
    const { id } = await submitted(host, { ...body, region: { ...REGION, radius: 0.1 } });
    const done = await endOf(host, id);
    assert.equal(done.status, "succeeded");
    assert.equal((await ask(host, body)).text, text);
    const long = await submitted(host, await openQuestion(host));
    await isUnderWay(host, long.id);
    await canceled(host, long.id);
    const ended = await endOf(host, long.id);
    assert.equal(ended.status, "canceled");
    await certificateAt(host, ended.certificate_id!);
    assert.equal((await host.end("SIGTERM")).code, 0);
  },
);

nodesTest("two nodes share their jobs: each is run once, and each node tells of all", async ({ node }) => {
  const [one, other] = await Promise.all([node(), node()]);
  const ids: string[] = [];
  const body = await openQuestion(one, 300);
  for (let i = 0; i < 6; i++) {
    const region = { ...body.region, radius: 0.1 + i / 100 };
    ids.push((await submitted(i % 2 ? one : other, { ...body, region })).id);
  }
  for (const [i, id] of ids.entries()) {
    const done = await endOf(i % 2 ? other : one, id); // not where it was asked
    assert.equal(done.status, "succeeded");
    const starts: number[] = [];
    for await (const { data, id: at } of events(one, id, 0)) {
      if (data.status === "running" && !data.progress) starts.push(at);
    }
    assert.equal(starts.length, 1);
  }
});

nodesTest(
  "a node that is killed in mid-job: the other finishes it, with the certificate of a run in peace",
  async ({ node }) => {
    const first = await node();
    const question = await openQuestion(first, NODES);
    const { id } = await submitted(first, question);
    await isUnderWay(first, id);
    const second = await node();
    assert.equal((await jobAt(second, id)).status, "running");
    await first.end("SIGKILL");
    const done = await endOf(second, id);
    assert.equal(done.status, "succeeded");
    const { text, certificate } = await certificateAt(second, done.certificate_id!);
    assert.equal(certificate.reproducible, true);
    assert.equal(await inPeace(question), text);
  },
);

nodesTest(
  "Redis that is killed in mid-job and starts again has lost nothing: jobs end, also those that waited",
  async ({ redis, node }) => {
    const host = await node();
    const question = await openQuestion(host, NODES);
    const { id } = await submitted(host, question);
    await isUnderWay(host, id);
    const waiting = await submitted(host, {
      ...question,
      region: { ...question.region, radius: 0.15 },
      options: { search: { max_nodes: 100 } },
    });
    await redis.kill();
    assert.equal((await host.fetch("/healthz")).status, 200);
    assert.equal((await host.fetch(`/v1/jobs/${id}`)).status, 503);
    await redis.start();
    const done = await endOf(host, id);
    assert.equal(done.status, "succeeded");
    assert.equal((await certificateAt(host, done.certificate_id!)).text, await inPeace(question));
    assert.equal((await endOf(host, waiting.id)).status, "succeeded");
  },
);

nodesTest(
  "a node that is told to end takes nothing more, gives its job back after the grace and ends with 0",
  async ({ node }) => {
    const first = await node({ LIPCERT_GRACE_S: "1" });
    const question = await openQuestion(first);
    const { id } = await submitted(first, question);
    await isUnderWay(first, id);
    const ended = await first.end("SIGTERM");
    assert.equal(ended.code, 0, first.log());
    const second = await node();
    assert.equal((await jobAt(second, id)).status === "failed", false);
    await isUnderWay(second, id);
    await canceled(second, id);
    assert.equal((await endOf(second, id)).status, "canceled");
  },
);

nodesTest("a node that is told to end lets a job end that needs less than the grace", async ({ node }) => {
  const first = await node({ LIPCERT_GRACE_S: "60" });
  const { id } = await submitted(first, await openQuestion(first, NODES));
  await isUnderWay(first, id);
  assert.equal((await first.end("SIGTERM")).code, 0, first.log());
  const second = await node();
  assert.equal((await jobAt(second, id)).status, "succeeded");
});

nodesTest(
  "a gateway that is killed while it takes jobs: those it has acknowledged end elsewhere, and are told of",
  async ({ node }) => {
    const gateway = await node({ LIPCERT_JOB_WORKERS: "0" });
    const digest = await keepModel(gateway), acknowledged: string[] = [];
    const asks = Array.from({ length: 40 }, async (_, i) => {
      const region = { ...REGION, radius: 0.1 + i / 1000 };
      const { id } = await submitted(gateway, { model: { digest }, region, property: { type: "lipschitz" } });
      if (acknowledged.push(id) === 5) await gateway.end("SIGKILL");
    });
    await Promise.allSettled(asks);
    assert.ok(acknowledged.length >= 5, `${acknowledged.length} were acknowledged`);
    const [runner, other] = await Promise.all([node(), node({ LIPCERT_JOB_WORKERS: "0" })]);
    for (const id of acknowledged) {
      const { status, certificate_id } = await endOf(other, id);
      assert.equal(status, "succeeded");
      await certificateAt(runner, certificate_id!);
    }
  },
);
