import assert from "node:assert/strict";
import { frontServer, REDIS_SERVER, redisServer } from "../stores/servers.ts";
import { denoHost, type Host, workerdHost } from "./hosts.ts";
import {
  canceled,
  certificateAt,
  endOf,
  events,
  jobAt,
  longQuestion,
  openQuestion,
  submitted,
} from "./job_requests.ts";
import { ask, MODEL, type ProblemBody, REGION } from "./requests.ts";

async function keep(host: Host): Promise<{ status: number; digest: string }> {
  const headers = { "content-type": "application/octet-stream" };
  const response = await host.fetch("/v1/models", { method: "POST", headers, body: MODEL });
  const { digest } = await response.json() as { digest: string };
  return { status: response.status, digest };
}

Deno.test({
  name: "hosts with one shared store know each other's models and certificates, and say when it is away",
  ignore: REDIS_SERVER === null,
  sanitizeOps: false, // the harness keeps its workerd process and sockets of its own
  sanitizeResources: false,
  async fn() {
    const redis = await redisServer();
    await redis.start();
    const front = frontServer(redis.address);
    await front.start();
    const settings = { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token };
    const [deno, workerd] = [await denoHost(settings, true), await workerdHost(settings)];
    try {
      const { status, digest } = await keep(workerd);
      assert.equal(status, 201);
      assert.equal((await keep(deno)).status, 200);

      const body = { model: { digest }, region: REGION, property: { type: "lipschitz" } };
      const there = await ask(workerd, body);
      const here = await ask(deno, body);
      assert.equal(here.text, there.text);
      assert.match(here.response.headers.get("server-timing") ?? "", /desc="known"/);
      const byId = await deno.fetch(`/v1/certificates/${there.certificate.id}`);
      assert.equal(await byId.text(), there.text);

      await front.kill();
      for (const host of [deno, workerd]) {
        const away = await host.fetch(`/v1/models/${digest}`);
        assert.equal(away.status, 503);
        assert.equal(away.headers.get("retry-after"), "5");
        assert.equal((await away.json() as ProblemBody).type, "/problems/store-unavailable");
      }
      await front.start();
      assert.equal((await deno.fetch(`/v1/models/${digest}`)).status, 200);
      assert.equal((await workerd.fetch(`/v1/models/${digest}`)).status, 200);
    } finally {
      await deno.close();
      await workerd.close();
      await front.kill();
      await redis.close();
    }
  },
});

Deno.test({
  name: "hosts with one shared store take each other's jobs, and lose none while it is away",
  ignore: REDIS_SERVER === null,
  async fn() {
    const redis = await redisServer();
    await redis.start();
    const front = frontServer(redis.address);
    await front.start();
    const settings = { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token };
    const [one, other] = [await denoHost(settings, true), await denoHost(settings, true)];
    try {
      const long = await submitted(one, await openQuestion(one));
      for await (const { data } of events(one, long.id)) if (data.status === "running") break;
      // One is busy, so the other takes this one, and those who ask either hear of it.
      const short = await submitted(one, await longQuestion(one, 400));
      const ends = await Promise.all([endOf(one, short.id), endOf(other, short.id)]);
      assert.deepEqual(ends.map(({ status }) => status), ["succeeded", "succeeded"]);
      assert.equal((await jobAt(other, long.id)).status, "running");
      await certificateAt(one, ends[0].certificate_id!);

      await front.kill();
      const away = await one.fetch(`/v1/jobs/${long.id}`);
      assert.equal((await away.json() as ProblemBody).type, "/problems/store-unavailable");
      await front.start();
      await canceled(other, long.id);
      const end = await endOf(one, long.id);
      assert.equal(end.status, "canceled");
      const { certificate } = await certificateAt(other, end.certificate_id!);
      assert.equal(certificate.method.search.stopped_by, "canceled");
    } finally {
      await one.close();
      await other.close();
      await front.kill();
      await redis.close();
    }
  },
});
