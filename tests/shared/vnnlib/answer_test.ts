/** Answers against exact arithmetic: what is `sat` is true at the printed point, what is `unsat` is met at no point. */
import assert from "node:assert/strict";
import type { Graph, Node } from "../../../shared/graph.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import type { Model } from "../../../shared/model.ts";
import { type Answer, answerProperty, LipcertError, readProperty } from "../../../shared/mod.ts";
import { decimalOf } from "../../../shared/vnnlib/decimal.ts";
import { add, compare, type Exact, exact, multiply, subtract, ZERO } from "../../exact/dyadic.ts";
import { outputAt } from "../../exact/network.ts";
import { Random } from "../../exact/random.ts";
import { randomNetwork } from "../../exact/random_networks.ts";
import module from "../../../wasm/dist/kernels.js";
import { exactOf } from "./formulas.ts";

const SEED = 73;
const kernels = wasmKernels(module);
const SEARCH = 2e5, NODES = 500;

function modelOf(graph: Graph): Model {
  const { nodes } = graph;
  const inputSize = nodes[0].size, outputSize = nodes[nodes.length - 1].size;
  const tensor = (name: string, size: number) => ({ name, shape: [size] });
  return {
    digest: `sha256:${"0".repeat(64)}`,
    description: {
      inputs: [tensor("x", inputSize)],
      outputs: [tensor("y", outputSize)],
      operators: [],
      opset: 13,
      parameters: 0,
      activations: 0,
    },
    inputType: "float64",
    graph: () => graph,
    sizes: () => ({ inputSize, outputSize }),
    bytes: 0,
  };
}

function ask(graph: Graph, text: string): Promise<Answer> {
  return answerProperty(readProperty(text), modelOf(graph), { kernels }, { searchFlops: SEARCH, maxNodes: NODES });
}

function declarations(inputs: number, outputs: number): string {
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}_${i}`);
  return [...names("X", inputs), ...names("Y", outputs)].map((name) => `(declare-const ${name} Real)`).join("\n");
}

/** sum of the coefficients times the outputs <= limit. */
interface Wanted {
  readonly coefficients: readonly string[];
  readonly limit: string;
}

function constraintText({ coefficients, limit }: Wanted): string {
  return `(<= (+ ${coefficients.map((c, k) => `(* ${c} Y_${k})`).join(" ")}) ${limit})`;
}

function isMet({ coefficients, limit }: Wanted, outputs: readonly Exact[]): boolean {
  const value = coefficients.reduce((sum, c, k) => add(sum, multiply(exactOf(decimalOf(c)!), outputs[k])), ZERO);
  return compare(subtract(value, exactOf(decimalOf(limit)!)), ZERO) <= 0;
}

function outputsAt(graph: Graph, point: ArrayLike<number>): Exact[] {
  const { numerators, exponent, denominator } = outputAt(graph, point);
  return numerators.map((numerator) => ({ numerator, exponent, denominator }));
}

Deno.test("answerProperty() never says sat or unsat against exact values of random networks", async () => {
  const counts = { sat: 0, unsat: 0, unknown: 0 };
  for (let index = 0; index < 300; index++) {
    const { name, recipe, graph, lower, upper } = randomNetwork(SEED, index, 8);
    if (recipe === "extreme") continue;
    const random = new Random(SEED + 1, index);
    const outputs = graph.nodes[graph.nodes.length - 1].size;
    const at = () =>
      lower.map((l, i) =>
        random.chance(0.3) ? l : random.chance(0.4) ? upper[i] : l + random.between(0, 1) * (upper[i] - l)
      );
    const sampled = Array.from({ length: 12 }, () => {
      const point = at().map((x, i) => Math.min(Math.max(x, lower[i]), upper[i]));
      return outputsAt(graph, point);
    });
    // A limit near values that are met: some constraints hold somewhere, some nowhere, some at one point.
    const wanted = (): Wanted => {
      const coefficients = Array.from({ length: outputs }, () => random.integer(-20, 20) / 10).map(String);
      const plain = coefficients.map(Number);
      const values = sampled.map((y) => plain.reduce((sum, c, k) => sum + c * toDouble(y[k]), 0));
      const least = Math.min(...values), spread = Math.max(...values) - least;
      return { coefficients, limit: String(least + random.between(-1, 0.3) * spread) };
    };
    const disjuncts = Array.from(
      { length: random.integer(1, 3) },
      () => Array.from({ length: random.integer(1, 2) }, wanted),
    );
    const box = Array.from(lower, (l, i) => `(assert (>= X_${i} ${l}))(assert (<= X_${i} ${upper[i]}))`).join("\n");
    const formula = disjuncts.map((all) => `(and ${all.map(constraintText).join(" ")})`).join(" ");
    const answer = await ask(graph, `${declarations(lower.length, outputs)}\n${box}\n(assert (or ${formula}))`);
    counts[answer.verdict]++;
    const meets = (y: readonly Exact[]) => disjuncts.some((all) => all.every((one) => isMet(one, y)));
    if (answer.verdict === "unsat") assert.ok(!sampled.some(meets), `${name}: unsat, but a point is met`);
    if (answer.verdict !== "sat") continue;
    const point = answer.counterexample.inputs.map(Number);
    assert.ok(point.every((x, i) => lower[i] <= x && x <= upper[i]), `${name}: outside`);
    assert.ok(meets(outputsAt(graph, point)), `${name}: sat, and the point is none`);
  }
  console.log(`seed ${SEED}: ${JSON.stringify(counts)}`);
  assert.ok(counts.sat > 40 && counts.unsat > 40, JSON.stringify(counts));
});

function toDouble({ numerator, exponent, denominator }: Exact): number {
  return Number(numerator) / Number(denominator) * 2 ** exponent;
}

/** y = weight x + bias. */
function line(weight: number, bias = 0): Graph {
  const input: Node = { operator: "input", inputs: [], size: 1, name: "x" };
  const affine: Node = {
    operator: "affine",
    inputs: [0],
    size: 1,
    name: "y",
    weights: Float64Array.of(weight),
    bias: Float64Array.of(bias),
  };
  return { nodes: [input, affine] };
}

function property(lower: string, upper: string, ...constraints: string[]): string {
  return `${declarations(1, 1)}(assert (>= X_0 ${lower}))(assert (<= X_0 ${upper}))` +
    constraints.map((one) => `(assert ${one})`).join("");
}

/** The double nearest to 0.1, which is above it. */
const TENTH = "0.1000000000000000055511151231257827021181583404541015625";

Deno.test("answerProperty() takes decimals as they are written: what rounding hides is unknown", async () => {
  const cases: readonly (readonly [text: string, verdict: Answer["verdict"]])[] = [
    // The box ends at 0.1, below the double: y reaches 0.1 at no double of the box, and no bound excludes it.
    [property("0", "0.1", "(>= Y_0 0.1)"), "unknown"],
    [property("0", "0.1", `(>= Y_0 ${TENTH})`), "unknown"],
    [property("0", "0.1", "(>= Y_0 0.099999999999999)"), "sat"],
    [property("0", "0.1", "(>= Y_0 0.100000000000001)"), "unsat"],
    [property("0", "1", "(>= Y_0 1)"), "unknown"], // met at 1 alone, and the product with 1 counts as rounded
    [property("0", "1", "(>= Y_0 1.00000000000001)"), "unsat"],
    [property("0", "1", "(>= Y_0 1)", "(<= Y_0 0.99999)"), "unsat"], // neither is false on the whole box, their sum is
    [property("0", "1", "(<= Y_0 1)"), "sat"],
    [property("0.1", "0.1", "(<= Y_0 0.2)"), "sat"],
    [property("0.1", "0.1", "(<= (* 3 Y_0) 0.3)"), "unknown"],
    [property("0.1", "0.1", "(<= (* 0.1 Y_0) 0.01)"), "unknown"],
    [property("0.1", "0.1", "(<= (* 0.1 Y_0) 0.0100000000000001)"), "sat"],
    [property("0.1", "0.1", "(>= (* 0.1 Y_0) 0.0100000000000001)"), "unsat"],
    [property("1", "0", "(<= Y_0 0.2)"), "unsat"],
    [property("0", "1"), "sat"],
    [property("0", "1", "(<= (- Y_0 Y_0) 0)"), "sat"],
    [property("0", "1", "(>= (- Y_0 Y_0) 1e-300)"), "unsat"],
    [property("0", "1", "(<= Y_0 1e400)"), "sat"],
    [property("0", "1", "(>= Y_0 1e400)"), "unsat"],
  ];
  for (const [text, verdict] of cases) assert.equal((await ask(line(1), text)).verdict, verdict, text);
});

Deno.test("answerProperty() prints an input that is no double as it is written", async () => {
  const answer = await ask(line(2, 1), property("0.1", "0.1", "(<= Y_0 2)"));
  assert.ok(answer.verdict === "sat");
  assert.equal(compare(exactOf(decimalOf(answer.counterexample.inputs[0])!), exactOf(decimalOf("0.1")!)), 0);
  assert.deepEqual(answer.counterexample.outputs, ["1.2"]);
  assert.notEqual(compare(exactOf(decimalOf("0.1")!), exact(0.1)), 0);
});

Deno.test("answerProperty() asks one question for all disjuncts over a box, and another for a point", async () => {
  const disjuncts = "(or (and (>= Y_0 5)) (and (>= (* 2 Y_0) 7) (>= Y_0 5)) (and (<= Y_0 -1)))";
  const unsat = await ask(line(1), property("0", "1", disjuncts));
  assert.deepEqual([unsat.verdict, unsat.disjuncts, unsat.open, unsat.certificates.length], ["unsat", 3, 0, 1]);
  const sat = await ask(line(1), property("0", "1", "(or (>= Y_0 5) (>= Y_0 0.5))"));
  assert.deepEqual([sat.verdict, sat.disjuncts, sat.open, sat.certificates.length], ["sat", 2, 1, 2]);
});

Deno.test("answerProperty() refuses a property of other sizes and numbers beyond doubles", async () => {
  const refused = async (graph: Graph, text: string, type: string, says: RegExp) =>
    await assert.rejects(ask(graph, text), (error) => {
      assert.ok(error instanceof LipcertError && error.type === type, String(error));
      assert.match(error.message, says);
      return true;
    });
  const two = `${declarations(2, 1)}${[0, 1].map((i) => `(assert (>= X_${i} 0))(assert (<= X_${i} 1))`).join("")}`;
  await refused(line(1), two, "shape-mismatch", /declares 2 inputs and 1 outputs, the model has 1 inputs/);
  await refused(line(1), property("0", "1e400", "(<= Y_0 1)"), "invalid-query", /beyond the range of doubles/);
  await refused(line(1), property("0", "1", "(<= (* 1e400 Y_0) 1)"), "invalid-query", /coefficient of Y_0/);
});
