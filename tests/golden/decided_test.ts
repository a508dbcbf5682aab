/** Verdicts that searches reach, against those that other tools reached and against exact and sampled values. */
import assert from "node:assert/strict";
import {
  boxOf,
  findingOf,
  modelsOf,
  type MonotoneCase,
  openModel,
  optionsOf,
  type OutputsCase,
  readCases,
  STATED,
  statedOf,
} from "./cases.ts";

/** Enough for every stored verdict; the hardest of those about signs takes 164, about labels 202. */
const NODES = 250;

const OPTIONS = { ...optionsOf("bp"), search: { max_nodes: NODES, gap: 0 } };

/** Directions that an exact or a peer's verdict allows. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  inc: ["increasing", "constant"],
  dec: ["decreasing", "constant"],
  not_monotone: ["neither"],
};

for (const name of modelsOf("monotone")) {
  Deno.test(`certify() with ${NODES} nodes decides every stored sign of ${name}, as the exact ranges say`, async () => {
    const { ask } = await openModel(name), { cases, output = 0 } = await readCases<MonotoneCase>("monotone", name);
    let exact = 0;
    for (const one of cases) {
      const property = { type: "monotonicity", output, features: [one.feature] } as const;
      const { finding } = await ask({ lower: one.lower, upper: one.upper }, property, OPTIONS);
      const [{ direction, lower, upper }] = findingOf(finding, "monotonicity").features;
      const what = `#${one.test_index} feature ${one.feature} ${one.mode}: ${direction}, ${lower} to ${upper}`;
      assert.notEqual(direction, "unknown", what);
      const known = [one.exact, ...Object.values(one.results)].flatMap((other) => ALLOWED[other?.verdict ?? ""] ?? []);
      if (known.length > 0) assert.ok(known.includes(direction), `${what}, known ${known}`);
      if (one.exact) exact++;
      for (const range of [one.exact, one.sampled]) {
        if (range) assertHolds({ direction, lower, upper }, range, what);
      }
    }
    assert.ok(exact > 0, "no exact verdict was compared");
  });
}

/** No value that was met is outside of the bounds, nor of the sign that a proved direction forbids. */
function assertHolds(
  { direction, lower, upper }: { direction: string; lower: number | null; upper: number | null },
  { min, max }: { readonly min: number; readonly max: number },
  what: string,
): void {
  const least = min + STATED * Math.abs(min), most = max - STATED * Math.abs(max);
  assert.ok((lower ?? -Infinity) <= least && (upper ?? Infinity) >= most, `${what}; met ${min} to ${max}`);
  if (direction === "increasing" || direction === "constant") assert.ok(min >= -STATED, `${what}; met ${min}`);
  if (direction === "decreasing" || direction === "constant") assert.ok(max <= STATED, `${what}; met ${max}`);
}

/** Cases of each model with a label: robust or falsified for some peer, and those that we decide beyond. */
const LABELLED: Readonly<Record<string, { readonly known: number; readonly beyond: number }>> = {
  diabetes_mlp: { known: 0, beyond: 0 },
  digits_leaky: { known: 9, beyond: 0 },
  iris_mlp8: { known: 12, beyond: 0 },
  mnist_cnn_small: { known: 4, beyond: 0 },
  mnist_mlp_20: { known: 15, beyond: 0 },
  mnist_mlp_256x3: { known: 6, beyond: 1 },
  synthetic_mlp16: { known: 12, beyond: 0 },
  synthetic_mlp64: { known: 9, beyond: 0 },
  synthetic_w32_d2: { known: 11, beyond: 1 },
  synthetic_w32_d4: { known: 8, beyond: 1 },
  synthetic_w32_d6: { known: 9, beyond: 0 },
};

Deno.test("modelsOf() finds the models whose labels are counted here", () => {
  assert.deepEqual(modelsOf("outputs"), Object.keys(LABELLED));
});

for (const [name, counts] of Object.entries(LABELLED)) {
  Deno.test(`certify() with ${NODES} nodes reaches every stored verdict on the labels of ${name}, and decides ${counts.beyond} more`, async () => {
    const { ask } = await openModel(name), { cases } = await readCases<OutputsCase>("outputs", name);
    let known = 0, beyond = 0;
    for (const one of cases) {
      if (one.margins === null) continue;
      const { label, others, attack_min, verdicts } = one.margins, what = `#${one.test_index} eps ${one.eps}`;
      const { finding, verdict } = await ask(boxOf(one, cases), { type: "robustness", label }, OPTIONS);
      const stored = new Set(Object.values(verdicts));
      if (stored.has("robust")) assert.equal(verdict, "certified", what);
      if (stored.has("falsified")) assert.equal(verdict, "refuted", what);
      if (stored.has("robust") || stored.has("falsified")) known++;
      else if (verdict !== "unknown") beyond++;
      const { margins } = findingOf(finding, "robustness");
      others.forEach((other, m) => {
        const { lower } = margins.find(({ output }) => output === other)!, most = attack_min[m];
        assert.ok((lower ?? -Infinity) <= most + statedOf(name) * Math.abs(most), `${what} margin ${other}: ${lower}`);
      });
    }
    assert.deepEqual({ known, beyond }, counts);
  });
}
