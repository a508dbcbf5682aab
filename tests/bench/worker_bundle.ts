/** The Worker's bundle, built as it would be deployed. */

export interface Bundle {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** Keeps wrangler from asking the network. */
export const WRANGLER_ENVIRONMENT = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

/** Builds into `folder` without deploying; measures what would be uploaded, each file compressed by itself. */
export async function buildWorker(folder: string): Promise<Bundle> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "npm:wrangler@4.155.0", "deploy", "--dry-run", "--outdir", folder],
    cwd: new URL("../../", import.meta.url),
    env: WRANGLER_ENVIRONMENT,
  }).output();
  if (!success) throw new Error(`Cannot build the Worker: ${new TextDecoder().decode(stderr)}`);
  const files: string[] = [];
  let bytes = 0, gzipBytes = 0;
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || name.endsWith(".map") || name === "README.md") continue; // these stay at home
    const content = await Deno.readFile(`${folder}/${name}`);
    files.push(name);
    bytes += content.length;
    gzipBytes += await gzippedLength(content);
  }
  if (files.length === 0) throw new Error("Cannot measure the Worker's bundle: nothing was written");
  return { files: files.sort(), bytes, gzipBytes };
}

async function gzippedLength(content: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}
