/** The engine of this tree against that of another revision, in turn within one run. */
import { TIMED } from "./questions.ts";
import { pair, percent, type Section } from "./report.ts";
import type { Sample } from "./sampler.ts";
import { type Summary, summaryOf } from "./statistics.ts";
import { TextLineStream } from "./text_lines.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const WARM_UP = 5;

/** Checks the revision out beside this tree, times the same questions in both and removes it again. */
export async function againstSection(revision: string, samples: number): Promise<Section> {
  const folder = await Deno.makeTempDir();
  const tree = `${folder}/tree`;
  await git("worktree", "add", "--detach", tree, revision);
  try {
    // The questions are this tree's, the engine is the other's.
    await Deno.remove(`${tree}/tests`, { recursive: true });
    await copyFolder(`${ROOT}tests`, `${tree}/tests`);
    const there = new Sampler(tree), here = new Sampler(ROOT);
    try {
      return await compare(revision, there, here, samples);
    } finally {
      await Promise.all([there.close(), here.close()]);
    }
  } finally {
    await git("worktree", "remove", "--force", tree);
    await Deno.remove(folder, { recursive: true });
  }
}

async function git(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", { args, cwd: ROOT }).output();
  if (!success) throw new Error(`Cannot run git ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** `sampler.ts` of a tree in a process of its own. */
class Sampler {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #questions: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor(tree: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      // Packages come from the cache: a tree without a folder of its own needs none made.
      args: ["run", "-A", "--quiet", "--node-modules-dir=none", "tests/bench/sampler.ts"],
      cwd: tree,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
    this.#questions = this.#child.stdin.getWriter();
  }

  async take(question: number): Promise<Sample> {
    await this.#questions.write(new TextEncoder().encode(`${question}\n`));
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("Cannot sample: the tree's process ended");
    return JSON.parse(value);
  }

  async close(): Promise<void> {
    await this.#questions.close();
    await this.#child.status;
  }
}

async function compare(revision: string, there: Sampler, here: Sampler, samples: number): Promise<Section> {
  const taken = TIMED.map(() => ({ there: [] as Sample[], here: [] as Sample[] }));
  for (let round = -WARM_UP; round < samples; round++) {
    for (const [q, of] of taken.entries()) {
      // Who goes first alternates, so that neither always finds the cache as the other left it.
      const first = round % 2 === 0;
      const one = await (first ? there : here).take(q), other = await (first ? here : there).take(q);
      if (round < 0) continue;
      of.there.push(first ? one : other);
      of.here.push(first ? other : one);
    }
  }
  const figures = TIMED.map(({ model, eps }, q) => {
    const [before, now] = [taken[q].there, taken[q].here].map(sideOf);
    return {
      question: `${model}, radius ${eps}`,
      there: before,
      here: now,
      ratio: { median: now.ms.median / before.ms.median, best: now.ms.best / before.ms.best },
      flops: now.flops / before.flops,
      upper: now.upper / before.upper - 1,
    };
  });
  return {
    title: `Upper bounds of this tree against ${revision}`,
    columns: ["question", "there ms median / best", "here", "time here / there", "operations", "bound"],
    rows: figures.map((f) => [
      f.question,
      pair(f.there.ms),
      pair(f.here.ms),
      pair(f.ratio),
      percent(f.flops),
      f.upper === 0 ? "the same bits" : f.upper.toExponential(1),
    ]),
    notes: [`${samples} samples of each, in turn, in two processes.`],
    figures,
  };
}

interface Side {
  readonly ms: Summary;
  readonly flops: number;
  readonly upper: number;
}

function sideOf(samples: readonly Sample[]): Side {
  const { flops, upper } = samples[samples.length - 1];
  return { ms: summaryOf(samples.map(({ ms }) => ms)), flops, upper };
}
