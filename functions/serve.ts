/** Serving until the process is told to stop, with a sample model at hand and a request to paste. */
import { digestOf } from "../shared/mod.ts";
import type { DenoHost } from "./host.ts";
import type { Services } from "./services.ts";
import type { Address } from "./settings.ts";

const SAMPLE = new URL("./samples/mlp16.onnx", import.meta.url);
const SAMPLE_INPUTS = 16;

async function keepSample({ models, certifier }: Services): Promise<string> {
  const bytes = await Deno.readFile(SAMPLE);
  const digest = await digestOf(bytes);
  const description = await certifier.describe(digest, bytes); // also warms the first Worker
  if (await models.describe(digest) === null) await models.put(digest, bytes, description);
  return digest;
}

function sampleRequest(origin: string, digest: string): string {
  const body = {
    model: { digest },
    region: { center: new Array(SAMPLE_INPUTS).fill(0), radius: 0.05 },
    property: { type: "lipschitz" },
  };
  return `curl -s ${origin}/v1/certify -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
}

/** Serves the host and ends the process: with 0 when it was told to, with 1 when it was told twice. */
export async function serve(host: DenoHost, address: Address, name: string): Promise<never> {
  const digest = await keepSample(host.services);
  const server = Deno.serve({
    ...address,
    handler: (request) => host.app.fetch(request),
    onListen({ hostname, port }) {
      const origin = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
      console.log(`${name} listens on ${origin} (API: ${origin}/docs). Try:\n\n${sampleRequest(origin, digest)}\n`);
    },
  });

  /** The first signal lets questions under way end, the second does not. */
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (isEnding) Deno.exit(1);
      isEnding = true;
      // First, for a stream of a job's events would keep the server for as long as the job.
      void host.endJobs().then(() => server.shutdown());
    });
  }
  await server.finished;
  await host.close();
  Deno.exit(0);
}
