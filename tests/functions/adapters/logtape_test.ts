import assert from "node:assert/strict";
import { logtapeLog } from "../../../functions/adapters/logtape.ts";

Deno.test("logtapeLog() writes one JSON line a request, with the failure and its cause", () => {
  const lines: string[] = [];
  const log = logtapeLog((line) => lines.push(line));
  log.request({ method: "GET", path: "/healthz", status: 200, ms: 1.5, request_id: "r" });
  log.failure("a certificate was not written", new Error("store", { cause: new Error("disk full") }));
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
  const [request, failure] = lines.map((line) => JSON.parse(line));
  assert.deepEqual([request.level, request.path, request.status, request.ms], ["INFO", "/healthz", 200, 1.5]);
  assert.equal(failure.level, "ERROR");
  assert.match(failure.error, /store[\s\S]*disk full/);
});
