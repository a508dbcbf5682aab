/** Compiles the kernels to `wasm/dist/`: `deno task wasm` rebuilds, `deno run -A wasm/build.ts --check` compares instead. */
import { main } from "assemblyscript/asc";
import asc from "assemblyscript/package.json" with { type: "json" };
import { gemmTilesSource } from "./generate_gemm.ts";

/** -O3 would nest the unrolled sums and spill registers; the stub runtime and no bindings leave only the kernels. */
const FLAGS = [
  "-O2",
  "--noAssert",
  "--runtime",
  "stub",
  "--enable",
  "simd",
  "--bindings",
  "none",
];
const MODULES = { kernels: ["--importMemory", "--initialMemory", "1"], peak: ["--initialMemory", "0"] };

/** Imported by `import source` in a JavaScript file: TypeScript does not know that syntax, Deno and workerd both do. */
const LOADER = `// @ts-self-types="./kernels.d.ts"
import source kernels from "./kernels.wasm";

export default kernels;
`;
const LOADER_TYPES = `/** The compiled kernels, by static import: a Worker may not compile at run time. */
declare const kernels: WebAssembly.Module;
export default kernels;
`;

const here = (path: string): URL => new URL(path, import.meta.url);

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return "sha256:" + new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Every source of the binaries by its path from `wasm/`, the generated one included, in the order of their names. */
async function readSources(): Promise<Map<string, string>> {
  const sources = new Map([["generated/gemm_tiles.ts", gemmTilesSource()]]);
  for await (const { name } of Deno.readDir(here("kernels"))) {
    sources.set(`kernels/${name}`, await Deno.readTextFile(here(`kernels/${name}`)));
  }
  return new Map([...sources].sort(([a], [b]) => a < b ? -1 : 1));
}

async function compile(entry: string, flags: readonly string[], sources: Map<string, string>) {
  let binary = new Uint8Array();
  const { error, stderr } = await main([entry, "--outFile", "out.wasm", ...flags], {
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== "string") binary = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`Cannot compile ${entry}: ${stderr.toString()}`, { cause: error });
  return binary;
}

/** Everything that belongs into `wasm/dist/` and depends on the sources, by name. */
async function build(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const sources = await readSources();
  const built = new Map<string, Uint8Array<ArrayBuffer>>();
  const binaries: Record<string, string> = {};
  for (const [name, flags] of Object.entries(MODULES)) {
    const binary = await compile(`kernels/${name === "kernels" ? "mod" : name}.ts`, [...FLAGS, ...flags], sources);
    built.set(`${name}.wasm`, binary);
    binaries[`${name}.wasm`] = await digest(binary);
  }
  const text = new TextEncoder();
  const manifest = {
    generator: "wasm/build.ts",
    compiler: `assemblyscript ${asc.version}`,
    flags: FLAGS,
    modules: MODULES,
    sources: await digest(text.encode([...sources].flat().join("\0"))),
    binaries,
  };
  built.set("kernels.js", text.encode(`// Written by wasm/build.ts.\n${LOADER}`));
  built.set("kernels.d.ts", text.encode(`// Written by wasm/build.ts.\n${LOADER_TYPES}`));
  built.set("manifest.json", text.encode(JSON.stringify(manifest, null, 2) + "\n"));
  return built;
}

const stale: string[] = [];
for (const [name, bytes] of await build()) {
  const file = here(`dist/${name}`);
  const before = await Deno.readFile(file).catch(() => new Uint8Array());
  if (bytes.length === before.length && bytes.every((byte, i) => byte === before[i])) continue;
  stale.push(name);
  if (!Deno.args.includes("--check")) await Deno.writeFile(file, bytes);
}
console.log(stale.length === 0 ? "wasm/dist is fresh" : `wasm/dist: ${stale.join(", ")} differ from the sources`);
if (stale.length > 0 && Deno.args.includes("--check")) Deno.exit(1);
