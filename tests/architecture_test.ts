import assert from "node:assert/strict";

/** The floors of the house: a file may import from its own folder and from those below. */
const FLOORS: readonly (readonly string[])[] = [
  ["errors.ts", "version.ts"],
  ["numeric", "graph.ts"],
  ["kernels", "linear", "query.ts"],
  ["operators", "certificate", "onnx"],
  ["bounds", "arithmetic.ts"],
  ["jacobian"],
  ["condensed"],
  ["witness"],
  ["search"],
  ["model.ts", "properties"],
  ["cost.ts", "resolve_query.ts", "capabilities.ts", "consistency.ts", "checkpoint.ts"],
  ["certify.ts", "verify.ts", "cross_check.ts"],
  ["vnnlib"],
  ["mod.ts"],
];

/** `certificate` names the work a pass counted; a type only. */
const TYPES_UPWARD = new Set(["certificate -> bounds"]);

const ROOT = new URL("../", import.meta.url);

async function* sources(folder: string): AsyncGenerator<{ path: string; text: string }> {
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts") && !path.endsWith(".d.ts")) {
      yield { path, text: await Deno.readTextFile(new URL(path, ROOT)) };
    }
  }
}

/** Every import of a source: its statement and what it names. */
function importsOf(text: string): { statement: string; from: string }[] {
  return [...text.matchAll(/^(?:import|export)\s[^;]*?from\s+"([^"]+)";/gms)]
    .map(([statement, from]) => ({ statement, from }));
}

function floorOf(path: string): { unit: string; floor: number } {
  const unit = path.split("/")[1];
  return { unit, floor: FLOORS.findIndex((units) => units.includes(unit)) };
}

Deno.test("shared/ imports go one way, from upper floors to lower ones", async () => {
  const wrong: string[] = [];
  for await (const { path, text } of sources("shared/")) {
    const { unit, floor } = floorOf(path);
    assert.ok(floor >= 0, `${path} stands on no floor`);
    for (const { statement, from } of importsOf(text)) {
      if (!from.startsWith(".")) continue;
      const target = new URL(from, new URL(path, ROOT)).href.slice(ROOT.href.length);
      assert.ok(target.startsWith("shared/"), `${path} imports ${target} from outside`);
      const below = floorOf(target);
      const typesOnly = statement.startsWith("import type") && TYPES_UPWARD.has(`${unit} -> ${below.unit}`);
      if (below.unit !== unit && below.floor >= floor && !typesOnly) wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("shared/ names no platform and depends on neither time nor chance", async () => {
  const forbidden =
    /\b(Deno|process|navigator|caches|fetch|setTimeout|performance|Date)\b\s*[.(]|Math\.random|relaxed_/;
  for await (const { path, text } of sources("shared/")) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assert.ok(!forbidden.test(code), `${path} uses ${forbidden.exec(code)?.[0]}`);
  }
});

Deno.test("shared/ uses no function of Math whose accuracy the language leaves open", async () => {
  const open = /Math\.(exp|log\w*|tanh?|sinh?|cosh?|pow|cbrt|hypot|atan\w*|expm1)\b/;
  for await (const { path, text } of sources("shared/")) assert.ok(!open.test(text), path);
});

Deno.test("operators/ never waits, except for its image", async () => {
  for await (const { path, text } of sources("shared/operators/")) {
    const waits = [...text.matchAll(/await (\S+)/g)].map(([, what]) => what);
    assert.ok(waits.every((what) => /^kernels\.(scope|read)/.test(what)), `${path} awaits ${waits}`);
  }
});

Deno.test("functions/ reaches into shared/ through its face, its errors and, in entries, its kernels", async () => {
  for await (const { path, text } of sources("functions/")) {
    for (const { from } of importsOf(text)) {
      if (!from.startsWith(".")) continue;
      const target = new URL(from, new URL(path, ROOT)).href.slice(ROOT.href.length);
      if (!target.startsWith("shared/")) continue;
      assert.ok(/^shared\/(mod|errors)\.ts$|^shared\/kernels\//.test(target), `${path} imports ${target}`);
    }
  }
});

Deno.test("no source names a registry host or a host that serves code", async () => {
  const hosts = /registry\.(npm|yarn)|jsr\.io|esm\.sh|unpkg|jsdelivr/;
  for (const folder of ["shared/", "functions/", "wasm/", "tests/"]) {
    for await (const { path, text } of sources(folder)) {
      if (path !== "tests/architecture_test.ts") assert.ok(!hosts.test(text), path);
    }
  }
});
