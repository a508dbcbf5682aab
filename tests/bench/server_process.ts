/** Servers in processes of their own, started as an operator starts them. */

export interface ServerProcess {
  readonly origin: string;
  stop(): Promise<void>;
}

/** The arguments of the task "start" of deno.json, without the file it runs. */
export async function startTask(): Promise<{ readonly flags: readonly string[]; readonly file: string }> {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const [program, verb, ...rest] = String(config.tasks.start.command).split(" ");
  if (program !== "deno" || verb !== "run") throw new TypeError(`Cannot start: the task is "${program} ${verb}"`);
  return { flags: rest.slice(0, -1), file: rest[rest.length - 1] };
}

/** Runs a file of this repository on a free port of 127.0.0.1 and waits until it prints where it listens. */
export async function startServer(
  flags: readonly string[],
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, file],
    cwd: new URL("../../", import.meta.url),
    env: { ...env, HOST: "127.0.0.1", PORT: "0" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  const origin = await originIn(output);
  const drained = output.pipeTo(new WritableStream()); // a full pipe would stop the server
  return {
    origin,
    async stop() {
      child.kill("SIGTERM");
      await Promise.all([child.status, drained]);
    },
  };
}

/** Reads as far as the first address and leaves the rest to be read. */
async function originIn(text: ReadableStream<string>): Promise<string> {
  let seen = "";
  for await (const piece of text.values({ preventCancel: true })) {
    seen += piece;
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(seen);
    if (found) return found[0];
  }
  throw new Error(`Cannot start the server: it ended after "${seen}"`);
}
