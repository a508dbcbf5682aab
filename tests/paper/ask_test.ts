import assert from "node:assert/strict";
import { type Answer, METHODS, type Task } from "./answers.ts";
import { ask, questionsOf } from "./ask.ts";

const MODEL = new URL("../models/reference/simple_w32_d2.onnx", import.meta.url).pathname;
const TASK: Task = {
  file: MODEL,
  boxes: [{ lower: new Array(16).fill(0.4), upper: new Array(16).fill(0.5), outputs: [7, 0] }],
  questions: questionsOf(1, METHODS),
  limitSeconds: 60,
  runs: 1,
};

Deno.test("ask() answers every method in a process of its own, the linear one most tightly", async () => {
  const told: Answer[] = [];
  const { refused, answers } = await ask(TASK, (answer) => told.push(answer));
  assert.equal(refused, null);
  assert.deepEqual(answers, told);
  assert.deepEqual(answers.map(({ method }) => method), [...METHODS]);
  const uppers = answers.map((answer) => {
    assert.ok(answer.status === "done", JSON.stringify(answer));
    assert.equal(answer.uppers.length, 2);
    return answer.uppers;
  });
  for (const k of [0, 1]) {
    const [product, interval, recurjac, linear] = uppers.map((of) => of[k]!), least = linear * (1 - 1e-9);
    assert.ok(product > interval && interval >= least && recurjac >= least && linear > 0, `output ${k}: ${uppers}`);
  }
});

Deno.test("ask() reports questions out of time as stopped and a file that is no model as refused", async () => {
  const { answers } = await ask({ ...TASK, limitSeconds: 1e-9 }, () => {});
  assert.deepEqual(answers.map(({ status }) => status), ["done", "stopped", "stopped", "stopped"]);
  const { refused } = await ask({ ...TASK, file: new URL("./ask.ts", import.meta.url).pathname }, () => {});
  assert.match(refused!, /^unreadable-model: /);
});

/** Answers one of four questions and ends; answers all of two. */
const FRAIL = `data:application/typescript,${
  encodeURIComponent(`
    const { questions } = await new Response(Deno.stdin.readable).json();
    const count = questions.length === 4 ? 1 : 2;
    for (const q of questions.slice(0, count)) console.log(JSON.stringify({ ...q, status: "stopped", detail: "" }));
    Deno.exit(count === questions.length ? 0 : 3);
  `)
}`;

Deno.test("ask() reports the question at which a process ended and goes on with the next one", async () => {
  const { answers } = await ask(TASK, () => {}, FRAIL);
  assert.deepEqual(answers.map(({ method }) => method), [...METHODS]);
  assert.deepEqual(answers.map(({ status }) => status), ["stopped", "failed", "stopped", "stopped"]);
  assert.match(JSON.stringify(answers[1]), /ended with code 3/);
});
