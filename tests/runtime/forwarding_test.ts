/** Hosts before a node: a Deno server and workerd, which share its store through the front of its Redis. */
import assert from "node:assert/strict";
import { type FrontServer, frontServer, REDIS_SERVER, redisServer } from "../stores/servers.ts";
import { denoHost, type Host, workerdHost } from "./hosts.ts";
import { asked, canceled, certificateAt, endOf, events, jobAt, openQuestion, submitted } from "./job_requests.ts";
import { expectProblem, keepModel, REGION } from "./requests.ts";
import { type Started, startedNode } from "./started.ts";

const KEY = `whsec_${new Uint8Array(32).fill(7).toBase64()}`;
const OTHER_KEY = `whsec_${new Uint8Array(32).fill(8).toBase64()}`;
const LIPSCHITZ = { type: "lipschitz" };

interface Scene {
  readonly redis: string;
  readonly front: FrontServer;
  readonly node: Started;
  /** Settings of a host before the node. */
  readonly settings: Record<string, string>;
}

async function withNode(play: (scene: Scene) => Promise<void>): Promise<void> {
  const redis = await redisServer();
  await redis.start();
  const front = frontServer(redis.address);
  await front.start();
  const node = await startedNode(redis.address, { LIPCERT_NODE_KEYS: `${OTHER_KEY} ${KEY}` });
  try {
    await play({
      redis: redis.address,
      front,
      node,
      settings: {
        UPSTASH_REDIS_REST_URL: front.url,
        UPSTASH_REDIS_REST_TOKEN: front.token,
        LIPCERT_NODE: node.origin,
        LIPCERT_NODE_KEYS: KEY,
        LIPCERT_GFLOP: "100000",
        LIPCERT_MEMORY_MIB: "2048",
        LIPCERT_GFLOP_AT_ONCE: "1",
        LIPCERT_MEMORY_AT_ONCE_MIB: "64",
      },
    });
  } catch (error) {
    console.log(node.log());
    throw error;
  } finally {
    await node.end("SIGKILL");
    await front.kill();
    await redis.close();
  }
}

const HOSTS: readonly [string, (settings: Record<string, string>) => Promise<Host>][] = [
  ["a Deno host", denoHost],
  ["workerd", workerdHost],
];

for (const [name, open] of HOSTS) {
  Deno.test({
    name:
      `${name} before a node: what costs more than is answered at once is a job of the node, seen and ended from there`,
    ignore: REDIS_SERVER === null,
    sanitizeOps: false, // the harness keeps its workerd process and sockets of its own
    sanitizeResources: false,
    fn: () =>
      withNode(async ({ node, settings }) => {
        const edge = await open(settings);
        try {
          const digest = await keepModel(edge);
          const small = { model: { digest }, region: REGION, property: { type: "output_bounds" } };
          assert.equal((await asked(edge, small, {})).status, 200);

          const question = await openQuestion(edge, 300);
          const { id } = await submitted(edge, question);
          const done = await endOf(edge, id);
          assert.equal(done.status, "succeeded");
          const here = await certificateAt(edge, done.certificate_id!);
          assert.equal(here.text, (await certificateAt(node, done.certificate_id!)).text);
          assert.equal((await asked(edge, question, {})).status, 200); // known from now on

          const large = await asked(edge, await openQuestion(edge), {});
          assert.equal(large.status, 202);
          const job = await large.json() as { id: string };
          for await (const { data } of events(edge, job.id)) if (data.progress !== null) break;
          assert.equal((await jobAt(node, job.id)).status, "running");
          await canceled(edge, job.id);
          const ended = await endOf(edge, job.id);
          assert.equal(ended.status, "canceled");
          await certificateAt(edge, ended.certificate_id!);

          await node.end("SIGKILL");
          const waits = { model: { digest }, region: { ...REGION, radius: 0.3 }, property: LIPSCHITZ };
          await expectProblem(await asked(edge, waits, { prefer: "respond-async" }), "queue-unavailable", 503);
          assert.equal((await asked(edge, { ...small, region: { ...REGION, radius: 0.01 } }, {})).status, 200);
        } finally {
          await edge.close();
        }
      }),
  });
}

Deno.test({
  name: "a host whose key the node does not have is turned away, and its callers learn nothing of keys",
  ignore: REDIS_SERVER === null,
  fn: () =>
    withNode(async ({ node, settings }) => {
      const wrong = `whsec_${new Uint8Array(32).fill(9).toBase64()}`;
      const edge = await denoHost({ ...settings, LIPCERT_NODE_KEYS: wrong });
      try {
        const digest = await keepModel(edge);
        const body = { model: { digest }, region: REGION, property: LIPSCHITZ };
        const response = await asked(edge, body, { prefer: "respond-async" });
        const text = await response.clone().text();
        await expectProblem(response, "queue-unavailable", 503);
        assert.ok(!/signature|key|401/i.test(JSON.parse(text).detail));
        assert.match(node.log(), /"status":401/);
      } finally {
        await edge.close();
      }
    }),
});
