/**
 * workerd by itself, with nothing between a Worker's `fetch` and the network.
 *
 * Wrangler's harness does not serve here: it hands every request of a Worker to a `fetch` of the process around it, which
 * follows redirects and decides on its own where to connect.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export interface Workerd extends AsyncDisposable {
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const COMPATIBILITY_DATE = "2026-10-01";

/** A Worker whose network reaches loopback too. */
const config = (socket: string) =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      globalOutbound = "everywhere")),
    (name = "everywhere", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true)))],
  sockets = [(name = "http", address = "unix:${socket}", http = (), service = "main")]);
`;

/** Serves the Worker of a file; its bundle is wrangler's. */
export async function workerd(main: string): Promise<Workerd> {
  const folder = await Deno.makeTempDir();
  await bundle(main, folder);
  const socket = `${folder}/socket`;
  await Deno.writeTextFile(`${folder}/config.capnp`, config(socket));
  const wrangler = fileURLToPath(import.meta.resolve("wrangler"));
  const { default: binary } = createRequire(wrangler)("workerd") as { default: string };
  const child = new Deno.Command(binary, { args: ["serve", `${folder}/config.capnp`], stderr: "inherit" }).spawn();
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  const served: Workerd = {
    fetch: (path, init) => fetch(`http://worker.example.com${path}`, { ...init, client }),
    async [Symbol.asyncDispose]() {
      client.close();
      child.kill();
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
  await listening(socket);
  return served;
}

async function bundle(main: string, folder: string): Promise<void> {
  const args = ["deploy", main, "--dry-run", "--outdir", folder, "--name", "worker"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "npm:wrangler@4.155.0",
      ...args,
      "--compatibility-date",
      COMPATIBILITY_DATE,
      "--config",
      "/dev/null",
    ],
    cwd: ROOT,
    env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`wrangler cannot bundle ${main}: ${new TextDecoder().decode(stderr)}`);
  const [script] = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".js"));
  await Deno.rename(`${folder}/${script.name}`, `${folder}/worker.js`);
}

async function listening(socket: string): Promise<void> {
  for (let tries = 100;; tries--) {
    try {
      (await Deno.connect({ transport: "unix", path: socket })).close();
      return;
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
