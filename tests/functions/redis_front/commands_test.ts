import assert from "node:assert/strict";
import { allowedCommands, checkAllowed, FrontError, readCommand } from "../../../functions/redis_front/commands.ts";

Deno.test("readCommand() takes text, numbers and truth values, as text", () => {
  assert.deepEqual(readCommand(["SET", "k", 1.5, true]), ["SET", "k", "1.5", "true"]);
  assert.deepEqual(readCommand(["ping"]), ["ping"]);
  for (const wrong of [null, {}, "GET", [], [1], ["GET", null], ["GET", ["k"]], ["SET", "k", { a: 1 }]]) {
    assert.throws(() => readCommand(wrong), (error) => error instanceof FrontError && error.status === 400);
  }
});

Deno.test("readCommand() takes Upstash's flags out of a script, and nothing else", () => {
  const script = "#!lua flags=allow-key-locking\nreturn 1";
  assert.deepEqual(readCommand(["EVAL", script, 0]), ["EVAL", "return 1", "0"]);
  assert.deepEqual(readCommand(["SET", "k", script]), ["SET", "k", script]);
});

Deno.test("allowedCommands() leaves out what would change or hold the connection, or act on the server", () => {
  const row = (name: string, categories: string[], subcommands: unknown[] = []) =>
    [name, 1, [], 0, 0, 0, categories, [], [], subcommands] as Parameters<typeof allowedCommands>[0][number];
  const allowed = allowedCommands([
    row("get", ["@read", "@string"]),
    row("ping", ["@connection"]),
    row("select", ["@connection"]),
    row("blpop", ["@write", "@list", "@blocking"]),
    row("flushall", ["@write", "@dangerous"]),
    row("config", ["@slow"], [row("config|get", ["@admin", "@dangerous"])]),
    row("object", ["@slow"], [row("object|freq", ["@read"])]),
  ]);
  assert.deepEqual([...allowed].sort(), ["get", "object|freq", "ping"]);
  checkAllowed(["GET", "k"], allowed);
  checkAllowed(["OBJECT", "FREQ", "k"], allowed);
  for (const refused of [["SELECT", "1"], ["OBJECT"], ["CONFIG", "GET", "*"], ["nothing"], ["object|freq|"]] as const) {
    assert.throws(() => checkAllowed(refused, allowed), FrontError, refused.join(" "));
  }
});
