import assert from "node:assert/strict";
import { certifierPool, type Pool } from "../../../functions/certifier/pool.ts";
import type { CertifyCall, FoundCertificate } from "../../../functions/services.ts";
import { LipcertError } from "../../../shared/errors.ts";

interface Counted {
  readonly pool: Pool;
  /** Workers started so far. */
  readonly started: () => number;
}

const GRACE_MS = 60_000;

async function withPool(
  workers: number,
  queue: number,
  body: (counted: Counted) => Promise<void>,
  graceMs = GRACE_MS,
): Promise<void> {
  let started = 0;
  const pool = certifierPool({
    workers,
    queue,
    graceMs,
    createWorker() {
      started++;
      return new Worker(new URL("./scripted_worker.ts", import.meta.url), { type: "module" });
    },
  });
  try {
    await body({ pool, started: () => started });
  } finally {
    pool.close();
  }
}

function call(output: string, more: Partial<CertifyCall> = {}): CertifyCall {
  return {
    digest: "sha256:0",
    request: { output, region: { lower: [0], upper: [1] }, property: { type: "lipschitz" } },
    model: () => Promise.resolve(new Uint8Array(1)),
    known: () => Promise.resolve(null),
    ...more,
  };
}

/** A call that ends only when it is stopped; it computes once `running` is resolved. */
function endless(signal: AbortSignal, output = "spin"): { spinning: CertifyCall; running: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const known = () => {
    resolve();
    return Promise.resolve(null);
  };
  return { spinning: call(output, { signal, known }), running: promise };
}

function isProblem(type: string): (error: unknown) => boolean {
  return (error) => error instanceof LipcertError && error.type === type;
}

Deno.test("certifierPool() hands the issued certificate back", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const result = await pool.certify(call("a"));
    assert.ok("issued" in result);
    assert.equal(result.issued.id, "id of a");
    assert.equal(new TextDecoder().decode(result.issued.bytes), "a");
  });
});

Deno.test("certifierPool() fetches a model only when the Worker lacks it", async () => {
  await withPool(1, 1, async ({ pool }) => {
    let fetched = 0;
    const model = () => Promise.resolve(new Uint8Array(++fetched));
    await pool.certify(call("a", { model }));
    await pool.certify(call("b", { model }));
    assert.equal(fetched, 1);
  });
});

Deno.test("certifierPool() ends a call with the certificate that is known, though it computes", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const certificate: FoundCertificate = { id: "kept", bytes: new Uint8Array([1, 2]) };
    const result = await pool.certify(call("spin", { known: () => Promise.resolve(certificate) }));
    assert.deepEqual(result, { question: "spin", found: certificate });
    assert.ok("issued" in await pool.certify(call("a")));
  });
});

Deno.test("certifierPool() carries problems over with their members, and defects as plain errors", async () => {
  await withPool(1, 1, async ({ pool }) => {
    await assert.rejects(pool.certify(call("refuse")), (error) => {
      assert.ok(error instanceof LipcertError);
      assert.deepEqual([error.type, error.message, error.members.errors?.[0].pointer], ["invalid-query", "no", "/x"]);
      return true;
    });
    await assert.rejects(pool.certify(call("throw")), (error) => !(error instanceof LipcertError));
    assert.ok("issued" in await pool.certify(call("a")));
  });
});

Deno.test("certifierPool() outlives a Worker that dies: kernel-failure, then a new Worker", async () => {
  await withPool(1, 1, async ({ pool, started }) => {
    await assert.rejects(pool.certify(call("die")), isProblem("kernel-failure"));
    assert.equal(started(), 2);
    assert.ok("issued" in await pool.certify(call("a")));
  });
});

Deno.test("certifierPool() stops a question whose caller is gone, keeps its Worker and serves the next", async () => {
  await withPool(1, 1, async ({ pool, started }) => {
    const caller = new AbortController();
    const { spinning, running } = endless(caller.signal);
    const gone = pool.certify(spinning);
    const next = pool.certify(call("a", { model: () => assert.fail("the model is prepared") }));
    await running;
    caller.abort(new Error("gone"));
    await assert.rejects(gone, /gone/);
    assert.ok("issued" in await next);
    assert.equal(started(), 1);
  });
});

Deno.test("certifierPool() replaces a Worker that does not stop", async () => {
  await withPool(1, 1, async ({ pool, started }) => {
    const caller = new AbortController();
    const { spinning, running } = endless(caller.signal, "stubborn");
    const gone = pool.certify(spinning);
    await running;
    caller.abort(new Error("gone"));
    await assert.rejects(gone, /gone/);
    assert.ok("issued" in await pool.certify(call("a")));
    assert.equal(started(), 2);
  }, 1);
});

Deno.test("certifierPool() does not start a Worker that cannot start over and over", async () => {
  let started = 0;
  const createWorker = () => {
    started++;
    const source = URL.createObjectURL(new Blob(["throw new Error('cannot start')"]));
    return new Worker(source, { type: "module" });
  };
  const pool = certifierPool({ workers: 1, queue: 1, graceMs: GRACE_MS, createWorker });
  try {
    await assert.rejects(pool.certify(call("a")), isProblem("kernel-failure"));
    await assert.rejects(pool.certify(call("a")), isProblem("kernel-failure"));
    assert.equal(started, 2);
  } finally {
    pool.close();
  }
});

Deno.test("certifierPool() takes a caller that is gone out of the queue", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const [caller, waiting] = [new AbortController(), new AbortController()];
    const { spinning, running } = endless(caller.signal);
    const first = pool.certify(spinning);
    const second = pool.certify(call("a", { signal: waiting.signal }));
    await running;
    waiting.abort(new Error("left the queue"));
    await assert.rejects(second, /left the queue/);
    const third = pool.certify(call("b")); // there is room again
    caller.abort(new Error("stopped"));
    await assert.rejects(first, /stopped/);
    assert.ok("issued" in await third);
  });
});

Deno.test("certifierPool() refuses a caller that was gone before it asked", async () => {
  await withPool(1, 1, async ({ pool, started }) => {
    await assert.rejects(pool.certify(call("spin", { signal: AbortSignal.abort(new Error("gone")) })), /gone/);
    assert.equal(started(), 1);
  });
});

Deno.test("certifierPool() turns callers away when the queue is full", async () => {
  await withPool(1, 2, async ({ pool }) => {
    const running = new AbortController();
    const first = pool.certify(call("spin", { signal: running.signal }));
    const waiting = [pool.certify(call("a")), pool.certify(call("b"))];
    await assert.rejects(pool.certify(call("c")), (error) => {
      assert.ok(isProblem("too-many-requests")(error));
      assert.ok(Number((error as LipcertError).members.retry_after) > 0);
      return true;
    });
    running.abort(new Error("stopped"));
    await assert.rejects(first, /stopped/);
    for (const result of await Promise.all(waiting)) assert.ok("issued" in result);
  });
});

Deno.test("certifierPool() lets a question pass beside one that takes for ever when it has two Workers", async () => {
  await withPool(2, 1, async ({ pool }) => {
    const running = new AbortController();
    const first = pool.certify(call("spin", { signal: running.signal }));
    assert.ok("issued" in await pool.certify(call("a")));
    running.abort(new Error("stopped"));
    await assert.rejects(first, /stopped/);
  });
});

Deno.test("certifierPool() ends a call whose store fails on the way and serves the next", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const failing = () => Promise.reject(new LipcertError("store-unavailable", "no store"));
    await assert.rejects(pool.certify(call("a", { model: failing })), isProblem("store-unavailable"));
    await assert.rejects(pool.certify(call("spin", { known: failing })), isProblem("store-unavailable"));
    assert.ok("issued" in await pool.certify(call("b")));
  });
});

Deno.test("certifierPool() tells of a search that is watched, ends it on demand, and serves the next", async () => {
  await withPool(1, 1, async ({ pool, started }) => {
    const enough = new AbortController(), heard: number[] = [];
    const onSearch: CertifyCall["onSearch"] = ({ nodes }) => {
      if (heard.push(nodes) === 3) enough.abort();
    };
    const result = await pool.certify(call("spin", { finish: enough.signal, onSearch }));
    assert.ok("issued" in result);
    assert.equal(result.issued.id, "id of finished");
    assert.deepEqual(heard, [0, 1, 2]);
    // The flags are those of one call.
    const caller = new AbortController(), { spinning, running } = endless(caller.signal);
    const next = pool.certify(spinning);
    await running;
    caller.abort(new Error("gone"));
    await assert.rejects(next, /gone/);
    assert.equal(started(), 1);
  });
});

Deno.test("certifierPool() ends a search that was to finish while it waited once it has begun", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const caller = new AbortController(), { spinning, running } = endless(caller.signal);
    const first = pool.certify(spinning);
    const second = pool.certify(call("spin", { finish: AbortSignal.abort() }));
    await running;
    caller.abort(new Error("stopped"));
    await assert.rejects(first, /stopped/);
    const result = await second;
    assert.ok("issued" in result);
    assert.equal(result.issued.id, "id of finished");
  });
});

Deno.test("certifierPool() tells nothing to a caller that is gone", async () => {
  await withPool(1, 1, async ({ pool }) => {
    const caller = new AbortController();
    let heard = 0;
    const gone = pool.certify(call("spin", {
      signal: caller.signal,
      onSearch: () => void (++heard, caller.abort(new Error("gone"))),
    }));
    await assert.rejects(gone, /gone/);
    assert.ok("issued" in await pool.certify(call("a")));
    assert.equal(heard, 1);
  });
});
