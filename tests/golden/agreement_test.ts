/**
 * Our bounds against those of other tools, one-sidedly: see README.md in this folder.
 *
 * Lipschitz: `upper` at most 1e-4 relative above the peer's. Outputs and derivatives: each end at most 1e-4 of the peer's
 * interval width plus 1e-9 of the magnitude outside of the peer's. Always at least what is exact or was sampled.
 */
import assert from "node:assert/strict";
import {
  type Asked,
  boxOf,
  type Ends,
  findingOf,
  type LipschitzCase,
  modelsOf,
  type MonotoneCase,
  openModel,
  optionsOf,
  type OutputsCase,
  readCases,
  STATED,
  statedOf,
} from "./cases.ts";

const RELATIVE = 1e-4;

function indices(size: number): number[] {
  return Array.from({ length: size }, (_, k) => k);
}

/** lower <= least and largest <= upper, allowing what is stated of a value that was computed in doubles. */
function assertEncloses(
  bounds: { lower: number; upper: number },
  least: number,
  largest: number,
  what: string,
  stated = STATED,
): void {
  assert.ok(bounds.lower <= least + stated * Math.abs(least), `${what}: lower ${bounds.lower} above ${least}`);
  assert.ok(bounds.upper >= largest - stated * Math.abs(largest), `${what}: upper ${bounds.upper} below ${largest}`);
}

/** Not looser than the peer's interval by more than the tolerance, at both ends. */
function assertNotLooser(
  bounds: { lower: number; upper: number },
  peer: { lower: number; upper: number },
  what: string,
): void {
  const width = peer.upper - peer.lower, magnitude = Math.max(Math.abs(peer.lower), Math.abs(peer.upper));
  const tolerance = RELATIVE * width + STATED * magnitude;
  assert.ok(bounds.lower >= peer.lower - tolerance, `${what}: lower ${bounds.lower}, peer ${peer.lower}`);
  assert.ok(bounds.upper <= peer.upper + tolerance, `${what}: upper ${bounds.upper}, peer ${peer.upper}`);
}

for (const name of modelsOf("lipschitz")) {
  Deno.test(`certify() bounds the Lipschitz constants of ${name} as tightly as every peer and above what is exact`, async () => {
    const { ask, model } = await openModel(name);
    const { cases } = await readCases<LipschitzCase>("lipschitz", name);
    const { outputSize } = model.sizes(model.description.outputs[0].name);
    for (const one of cases) await agreeOnLipschitz(ask, one, boxOf(one, cases), outputSize);
    assert.ok(cases.length >= 6);
  });
}

async function agreeOnLipschitz(
  ask: Asked["ask"],
  one: LipschitzCase,
  region: Ends,
  outputSize: number,
): Promise<void> {
  const property = { type: "lipschitz", outputs: indices(outputSize) } as const;
  // Several peers answer the question of one of our relaxations: asked once.
  const asked = new Map<string, ReturnType<Asked["ask"]>>();
  for (const method of Object.keys(one.results)) {
    const options = optionsOf(method), { relaxation } = options;
    const answer = asked.get(relaxation) ?? ask(region, property, options);
    asked.set(relaxation, answer);
    const finding = findingOf((await answer).finding, "lipschitz"), peer = one.results[method];
    const what = `#${one.test_index} eps ${one.eps} ${method}`;
    finding.outputs.forEach(({ upper, lower }, k) => {
      assert.ok(upper !== null && lower <= upper, `${what} output ${k}: lower ${lower}, upper ${upper}`);
      assert.ok(
        upper <= peer.per_output[k] * (1 + RELATIVE),
        `${what} output ${k}: ${upper}, peer ${peer.per_output[k]}`,
      );
      for (const known of [one.exact, one.sampled_lower]) {
        if (!known?.per_output) continue;
        assert.ok(
          upper >= known.per_output[k] * (1 - STATED),
          `${what} output ${k}: ${upper} below ${known.per_output[k]}`,
        );
      }
      if (!one.exact?.complete) return;
      const most = one.exact.per_output![k] * (1 + STATED);
      assert.ok(lower <= most, `${what} output ${k}: lower ${lower} above the exact ${most}`);
    });
    const upper = finding.upper!;
    assert.ok(upper <= peer.max * (1 + RELATIVE), `${what}: ${upper}, peer ${peer.max}`);
    assert.ok(upper >= (one.sampled_lower?.max ?? 0) * (1 - STATED), `${what}: ${upper} below the sampled maximum`);
    if (one.exact?.complete) {
      assert.ok(upper >= one.exact.max! * (1 - STATED) && finding.lower <= one.exact.max! * (1 + STATED), what);
    }
  }
}

for (const name of modelsOf("outputs")) {
  Deno.test(`certify() bounds the outputs and margins of ${name} as tightly as every peer and around what was sampled`, async () => {
    const { ask, model } = await openModel(name);
    const { cases } = await readCases<OutputsCase>("outputs", name);
    const { outputSize } = model.sizes(model.description.outputs[0].name);
    for (const one of cases) {
      const region = boxOf(one, cases);
      for (const method of Object.keys(one.results)) {
        await agreeOnOutputs(ask, one, region, method, outputSize, statedOf(name));
      }
    }
    assert.ok(cases.length >= 4);
  });
}

async function agreeOnOutputs(
  ask: Asked["ask"],
  one: OutputsCase,
  region: Ends,
  method: string,
  outputSize: number,
  stated: number,
): Promise<void> {
  const options = optionsOf(method), what = `#${one.test_index} eps ${one.eps} ${method}`;
  const property = { type: "output_bounds", outputs: indices(outputSize) } as const;
  const { lower, upper } = findingOf((await ask(region, property, options)).finding, "output_bounds");
  const peer = one.results[method];
  for (let k = 0; k < outputSize; k++) {
    const bounds = endsOf({ lower, upper }, k);
    assertNotLooser(bounds, { lower: peer.lower[k], upper: peer.upper[k] }, `${what} output ${k}`);
    assertEncloses(bounds, one.sampled_range.min[k], one.sampled_range.max[k], `${what} output ${k}`, stated);
  }
  if (one.margins === null) return;
  const { label, others, attack_min, results, verdicts } = one.margins;
  const { finding, verdict } = await ask(region, { type: "robustness", label }, options);
  const { margins, counterexample } = findingOf(finding, "robustness");
  others.forEach((other, m) => {
    const margin = margins.find(({ output }) => output === other)!.lower!, peerLower = results[method].lower[m];
    assert.ok(margin <= attack_min[m] + stated * Math.abs(attack_min[m]), `${what} margin ${other}: ${margin}`);
    // The peer stores no upper end; the width it leaves open is measured to the smallest margin that was met.
    const tolerance = RELATIVE * Math.abs(attack_min[m] - peerLower) + STATED * Math.abs(peerLower);
    assert.ok(margin >= peerLower - tolerance, `${what} margin ${other}: ${margin}, peer ${peerLower}`);
  });
  if (verdicts[method] === "robust") assert.equal(verdict, "certified", what);
  if (verdicts[method] === "falsified") assert.notEqual(verdict, "certified", what);
  if (verdict === "certified") assert.equal(counterexample, null);
}

function endsOf({ lower, upper }: { lower: readonly (number | null)[]; upper: readonly (number | null)[] }, k: number) {
  return { lower: lower[k] ?? -Infinity, upper: upper[k] ?? Infinity };
}

for (const name of modelsOf("monotone")) {
  Deno.test(`certify() bounds single derivatives of ${name} as tightly as every peer and reaches the stored verdicts`, async () => {
    const { ask } = await openModel(name);
    const { cases, output } = await readCases<MonotoneCase>("monotone", name);
    let verdicts = 0;
    for (const one of cases) {
      for (const method of Object.keys(one.results)) verdicts += await agreeOnDerivative(ask, one, method, output ?? 0);
    }
    assert.ok(verdicts > 0, "no verdict was compared");
  });
}

/** Returns 1 where a verdict was stored and reached. */
async function agreeOnDerivative(
  ask: Asked["ask"],
  one: MonotoneCase,
  method: string,
  output: number,
): Promise<number> {
  const property = { type: "monotonicity", output, features: [one.feature] } as const;
  const region: Ends = { lower: one.lower, upper: one.upper };
  const finding = findingOf((await ask(region, property, optionsOf(method))).finding, "monotonicity");
  const [{ lower, upper, direction }] = finding.features;
  const bounds = { lower: lower ?? -Infinity, upper: upper ?? Infinity }, peer = one.results[method];
  const what = `#${one.test_index} feature ${one.feature} ${one.mode} ${method}`;
  assertNotLooser(bounds, peer, what);
  if (one.sampled) assertEncloses(bounds, one.sampled.min, one.sampled.max, what);
  if (one.exact) assertEncloses(bounds, one.exact.min, one.exact.max, what);
  if (peer.verdict === "unknown") return 0;
  const reached = peer.verdict === "inc" ? ["increasing", "constant"] : ["decreasing", "constant"];
  assert.ok(
    reached.includes(direction),
    `${what}: ${direction}, peer ${peer.verdict} with ${peer.lower} to ${peer.upper}`,
  );
  return 1;
}
