/** Has the questions of a network answered by a process of its own, and goes on with another one where that ends early. */
import { TextLineStream } from "../bench/text_lines.ts";
import type { Answer, Line, Question, Task } from "./answers.ts";

export interface Asked {
  readonly refused: string | null;
  readonly answers: readonly Answer[];
}

/** How long a process may be silent beyond the limit of a question: to read a model, or to reach a place that looks at the time. */
const GRACE_SECONDS = 120;

const PROGRAM = new URL("./answer_process.ts", import.meta.url).href;

/** Answers in the order of the questions; `program` is what each process runs. */
export async function ask(task: Task, onAnswer: (answer: Answer) => void, program = PROGRAM): Promise<Asked> {
  const answers: Answer[] = [];
  const take = (answer: Answer) => {
    answers.push(answer);
    onAnswer(answer);
  };
  while (answers.length < task.questions.length) {
    const questions = task.questions.slice(answers.length);
    const { refused, ending } = await askOnce({ ...task, questions }, take, program);
    if (refused !== null) return { refused, answers };
    if (ending !== null) take({ ...task.questions[answers.length], ...ending });
  }
  return { refused: null, answers };
}

/** `ending` says why the process ended before the question that it had reached was answered. */
interface Ended {
  readonly refused: string | null;
  readonly ending: { readonly status: "stopped" | "failed"; readonly detail: string } | null;
}

async function askOnce(task: Task, take: (answer: Answer) => void, program: string): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const silence = task.limitSeconds + GRACE_SECONDS;
  let isKilled = false, refused: string | null = null, answered = 0;
  const kill = () => {
    isKilled = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(kill, 1000 * silence);
  await new Response(JSON.stringify(task)).body!.pipeTo(child.stdin).catch((error) => {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // it ended: its status says why
  });
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    clearTimeout(timer);
    timer = setTimeout(kill, 1000 * silence);
    const line = JSON.parse(text) as Line;
    if ("modelRefused" in line) refused = line.modelRefused;
    else if ("status" in line) {
      answered++;
      take(line);
    }
  }
  clearTimeout(timer);
  const { code, signal } = await child.status;
  if (refused !== null || answered === task.questions.length) return { refused, ending: null };
  if (isKilled) return { refused, ending: { status: "stopped", detail: `silent for ${silence} s, ended` } };
  return { refused, ending: { status: "failed", detail: `the process ended with ${signal ?? `code ${code}`}` } };
}

/** Every method over every box, the methods of a box one after the other. */
export function questionsOf(boxes: number, methods: readonly Question["method"][]): Question[] {
  return Array.from({ length: boxes }, (_, box) => methods.map((method) => ({ box, method }))).flat();
}
