/**
 * Upper bounds on request, for a comparison of two trees: for each line on stdin, one JSON line on stdout.
 *
 * `deno run -A tests/bench/sampler.ts`, then "<question's index>\n". Imports the engine of the tree it lies in.
 */
import { TextLineStream } from "./text_lines.ts";
import { createKernels } from "../../functions/kernels.ts";
import { openQuestion, TIMED, upperBounds } from "./questions.ts";
import { timed } from "./statistics.ts";

/** One sample: the answer too, since a tree that answers otherwise is not simply faster. */
export interface Sample {
  readonly ms: number;
  readonly flops: number;
  readonly upper: number;
}

if (import.meta.main) {
  const kernels = createKernels(2 ** 30);
  const questions = await Promise.all(TIMED.map(({ model, eps }) => openQuestion(model, eps)));
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    const { result, ms } = await timed(() => upperBounds(questions[Number(line)], kernels));
    const sample: Sample = { ms, flops: result.flops, upper: Math.max(...result.uppers) };
    console.log(JSON.stringify(sample));
  }
}
