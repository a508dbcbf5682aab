import assert from "node:assert/strict";
import { verifyCommand } from "../../functions/cli/verify_command.ts";
import { capture, MODEL, problemIn, type Settings } from "./capture.ts";

const FOLDER = "tests/cli/properties";

async function run(property: string, settings: Settings = {}, ...more: string[]) {
  const host = capture(settings);
  return { code: await verifyCommand([MODEL, property, ...more], host), host };
}

function textOf(name: string): string {
  return Deno.readTextFileSync(new URL(`properties/${name}`, import.meta.url));
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

Deno.test("verify: the first line is the verdict, the exit code follows it, sat shows its point", async () => {
  for (const [name, code] of [["unsat", 0], ["sat", 1]] as const) {
    const { code: got, host } = await run(`${FOLDER}/mlp16_${name}.vnnlib`);
    assert.equal(got, code, host.stderr);
    const [first, ...rest] = host.stdout.trimEnd().split("\n");
    assert.equal(first, name);
    assert.match(host.stderr, /output_bounds sha256:[0-9a-f]{64}/);
    if (name !== "sat") {
      assert.deepEqual(rest, []);
      continue;
    }
    const point = rest.join("\n");
    const values = [...point.matchAll(/\(([XY])_(\d+) (\S+)\)/g)].map((
      [, letter, i, value],
    ) => [`${letter}_${i}`, Number(value)]);
    assert.match(point, /^\(\(X_0 [^()]+\)\n(?: \([XY]_\d+ [^()]+\)\n)+ \(Y_9 [^()]+\)\)$/);
    assert.equal(values.length, 26);
    const named = Object.fromEntries(values) as Record<string, number>;
    assert.ok(named.Y_4 > named.Y_3 || named.Y_5 > named.Y_3);
    for (let i = 0; i < 16; i++) assert.ok(named[`X_${i}`] >= 0.45 && named[`X_${i}`] <= 0.55);
  }
});

Deno.test("verify: a packed property is the same property", async () => {
  const files = { "p.vnnlib.gz": await gzip(textOf("mlp16_sat.vnnlib")) };
  const plain = await run(`${FOLDER}/mlp16_sat.vnnlib`), packed = await run("p.vnnlib.gz", { files });
  assert.equal(packed.host.stdout, plain.host.stdout);
  assert.equal(packed.code, 1);
});

Deno.test("verify: timeout and a small budget are exit 4, and still one word on standard output", async () => {
  let clock = 0;
  const late = await run(`${FOLDER}/mlp16_unknown.vnnlib`, { now: () => clock += 1000 }, "--timeout", "3");
  assert.deepEqual([late.code, late.host.stdout], [4, "timeout\n"]);
  const poor = await run(`${FOLDER}/mlp16_unsat.vnnlib`, { environment: { LIPCERT_GFLOP: "1e-6" } });
  assert.deepEqual([poor.code, poor.host.stdout], [4, "unknown\n"]);
  assert.match(problemIn(poor.host).detail, /this host allows/);
});

Deno.test("verify: --max-nodes says how far to search, and progress tells of the largest bound", async () => {
  const property = `${FOLDER}/mlp16_unknown.vnnlib`;
  const [none, some, usual] = [
    await run(property, {}, "--max-nodes", "0"),
    await run(property, {}, "--max-nodes", "200"),
    await run(property),
  ];
  assert.deepEqual([none.code, none.host.stdout], [2, "unknown\n"]);
  assert.doesNotMatch(none.host.stderr, /searched/);
  assert.deepEqual([some.code, some.host.stdout], [0, "unsat\n"]);
  assert.match(some.host.stderr, /^1 disjuncts, 1 proved impossible, \d+ nodes searched$/m);
  assert.equal(usual.host.stdout, some.host.stdout);
  let clock = 0;
  const shown = await run(property, { now: () => clock += 1000, isTerminal: true });
  assert.match(shown.host.stderr, /\d+ nodes, \d+ open, at most -0\.\d+, \d+\.\d s/);
  assert.equal(shown.host.stdout, usual.host.stdout);
  for (const text of ["-1", "1.5", "many"]) {
    const { code, host } = await run(property, {}, "--max-nodes", text);
    assert.deepEqual([code, host.stdout, problemIn(host).type], [3, "", "/problems/invalid-query"]);
  }
});

Deno.test("verify: an interrupt ends a search with what was proved so far", async () => {
  const wide = textOf("mlp16_unknown.vnnlib").replaceAll("0.45", "0.2").replaceAll("0.55", "0.8");
  const files = { "wide.vnnlib": wide.replace("(- 1.4304)", "3.0") };
  let listening = 0;
  const nodesOf = ({ stderr }: { stderr: string }) => Number(stderr.match(/(\d+) nodes searched/)![1]);
  const patient: Settings = { files, onInterrupt: () => (listening++, () => void listening--) };
  const full = await run("wide.vnnlib", patient, "--max-nodes", "600");
  assert.equal(listening, 0, "nobody listens after the search");
  const cut = await run("wide.vnnlib", { files, onInterrupt: (now) => (now(), () => {}) }, "--max-nodes", "600");
  assert.deepEqual([cut.code, cut.host.stdout], [2, "unknown\n"]);
  assert.ok(nodesOf(cut.host) < nodesOf(full.host));
});

Deno.test("verify: bad files are exit 3 at once, with a problem that says where", async () => {
  const files = {
    "bomb": "(".repeat(2 ** 20),
    "nan": "(declare-const X_0 Real)\n(assert (<= X_0 NaN))",
    "unclosed": textOf("mlp16_sat.vnnlib").trimEnd().slice(0, -1),
    "binary": Uint8Array.of(0x28, 0xff, 0xfe),
    "damaged.gz": (await gzip("x".repeat(1000))).slice(0, 20),
    "bomb.gz": await gzip(`;${" ".repeat(100 * 2 ** 20)}\n`),
    "header": new TextEncoder().encode(`;${" ".repeat(100 * 2 ** 20)}\n`) as Uint8Array<ArrayBuffer>,
    "other": "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))",
  };
  const says: Record<keyof typeof files, RegExp> = {
    "bomb": /deeper than 100 at line 1, column 101/,
    "nan": /unknown symbol "NaN" .* line 2, column 17/,
    "unclosed": /never closed.* at line 62, column 1/,
    "binary": /is no text/,
    "damaged.gz": /damaged gzip/,
    "bomb.gz": /longer than the 16777216 bytes/,
    "header": /longer than 16777216 bytes/,
    "other": /declares 1 inputs and 1 outputs, the model has 16 inputs and 10 values/,
  };
  for (const name of Object.keys(files) as (keyof typeof files)[]) {
    const { code, host } = await run(name, { files });
    assert.equal(code, 3, name);
    assert.equal(host.stdout, "");
    assert.match(problemIn(host).detail, says[name]);
  }
  const missing = await run("none.vnnlib");
  assert.equal(missing.code, 3);
  assert.match(problemIn(missing.host).detail, /"none\.vnnlib": there is none/);
});

Deno.test("verify.ts and certify.ts run as processes: files from where the task was started, codes to the shell", async () => {
  const root = new URL("../../", import.meta.url).pathname;
  const start = async (command: string, ...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-env", "--allow-write", `${root}functions/cli/${command}.ts`, ...args],
      cwd: "/",
      env: { LIPCERT_CWD: root },
      stdout: "piped",
      stderr: "piped",
    }).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  };
  const sat = await start("verify", MODEL, `${FOLDER}/mlp16_sat.vnnlib`);
  assert.deepEqual([sat.code, sat.stdout.split("\n")[0]], [1, "sat"], sat.stderr);
  const refused = await start("certify", MODEL, "--center", "0", "--radius", "1", "--property", "lipschitz");
  assert.equal(refused.code, 3);
  assert.match(JSON.parse(refused.stderr).detail, /16 numbers are needed/);
});
