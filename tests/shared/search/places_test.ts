/** Pieces on fewer units: nothing is lost of what is known, and their networks are the network within their radii. */
import assert from "node:assert/strict";
import { condenseAgain } from "../../../shared/condensed/condense_again.ts";
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import type { Piece } from "../../../shared/search/piece.ts";
import { narrowed, wholePhases } from "../../../shared/search/places.ts";
import { absolute, add, type Exact, exact, isAtMost, multiply, subtract, ZERO } from "../../exact/dyadic.ts";
import { Random } from "../../exact/random.ts";
import type { ExactCondensed } from "./exact_condensed.ts";
import { drawRegion } from "./pieces.ts";

const SEED = 20_261_205;

Deno.test(`narrowed() keeps all that is known of open units, however often it is done (seed ${SEED})`, () => {
  const random = new Random(SEED);
  let narrower = 0, twice = 0;
  for (let k = 0; k < 300; k++) {
    const width = random.integer(4, 40);
    const first = randomPiece(random, width);
    let piece = first;
    for (let time = 0; time < 4; time++) {
      const next = narrowed(decideMore(random, piece), 2);
      if (next.base !== piece.base) {
        narrower++;
        if (piece.base) twice++;
      }
      piece = next;
      const whole = wholePhases(piece);
      whole.forEach((phase, u) => phase === 0 && assert.ok(!piece.base || piece.base.units.includes(u)));
      // The numbers of every unit are its own.
      piece.base?.units.forEach((u, i) => {
        const number = u / 1000;
        assert.equal(piece.phases[i], whole[u]);
        assert.equal(piece.gradients.lower[i], -number);
        assert.equal(piece.gradients.upper[i], number);
        for (let m = 0; m < 4; m++) {
          assert.equal(piece.multipliers[m * piece.phases.length + i], Math.fround(number + m));
        }
        assert.ok(piece.base!.heights.lower[u] <= piece.heights.lower[i]);
      });
      const { split } = piece;
      assert.ok(split?.kind === "unit" && piece.phases[split.unit] === 0);
    }
    // Whatever was decided stays so.
    first.phases.forEach((phase, u) => phase !== 0 && assert.equal(wholePhases(piece)[u], phase));
  }
  assert.ok(narrower > 200 && twice > 60, `${narrower} were narrowed, ${twice} again`);
});

function randomPiece(random: Random, width: number): Piece {
  const numbers = Float64Array.from({ length: width }, (_, u) => u / 1000);
  return {
    tree: 0,
    upper: 1,
    box: null,
    base: null,
    phases: new Int8Array(width),
    heights: { lower: numbers.map(() => -1), upper: numbers.map(() => 1) },
    gradients: { lower: numbers.map((x) => -x), upper: numbers.slice() },
    signs: new Int8Array(0),
    multipliers: Float32Array.from([0, 1, 2, 3].flatMap((m) => [...numbers.map((x) => x + m)])),
    weights: new Float64Array(0),
    split: { kind: "unit", unit: random.integer(0, width - 1) },
    rival: null,
    prefers: "unit",
    depth: 0,
  };
}

/** Some units get phases, most of them proved all over the piece. */
function decideMore(random: Random, piece: Piece): Piece {
  const phases = piece.phases.slice(), lower = piece.heights.lower.slice(), upper = piece.heights.upper.slice();
  for (let u = 0; u < phases.length; u++) {
    if (phases[u] !== 0 || (piece.split?.kind === "unit" && piece.split.unit === u) || random.chance(0.4)) continue;
    phases[u] = random.sign();
    if (random.chance(0.2)) continue;
    if (phases[u] > 0) lower[u] = 0;
    else upper[u] = 0;
  }
  return { ...piece, phases, heights: { lower, upper } };
}

Deno.test(`condenseAgain() is within its error of the exact rows with the active ones put in (seed ${SEED})`, async () => {
  assert.ok(await violations(condenseAgain) === 0);
});

for (
  const [what, wrong] of Object.entries<(again: CondensedNetwork) => CondensedNetwork>({
    "the error of the network it came from": (again) => ({ ...again, error: 0 }),
    "magnitudes of its own rows alone": (again) => ({
      ...again,
      biasMagnitudes: again.bias.map((x) => Math.abs(x) * 0.999),
    }),
    "columns in another order": (again) => ({ ...again, unitWeights: again.unitWeights.slice().reverse() }),
  })
) {
  Deno.test(`condenseAgain(): ${what} is noticed (seed ${SEED})`, async () => {
    assert.ok(await violations((...args) => wrong(condenseAgain(...args))) > 0);
  });
}

/** Numbers that are further from the exact ones than they may be. */
async function violations(again: typeof condenseAgain): Promise<number> {
  const random = new Random(SEED, 1);
  let count = 0, seen = 0;
  for (let index = 0; index < 40; index++) {
    const drawn = await drawRegion(SEED, index);
    if (!drawn) continue;
    const { region: { network, width }, exact: numbers } = drawn;
    for (let k = 0; k < 3; k++) {
      const phases = Int8Array.from({ length: width }, () => random.pick([0, 0, 1, 1, -1]));
      const chosen = Int32Array.from(phases.keys()).filter((u) => phases[u] === 0 || random.chance(0.3));
      const heights = { lower: network.lower.slice(0, width), upper: network.upper.slice(0, width) };
      const found = again(network, phases, chosen, heights), truth = exactAgain(numbers, phases);
      const order = [...chosen, ...Array.from({ length: network.outputs }, (_, o) => width + o)];
      order.forEach((u, r) => {
        const check = (real: Exact, stored: number, magnitude: number) => {
          seen++;
          const isNear = isAtMost(absolute(subtract(exact(stored), real)), found.error * magnitude);
          if (!isNear || !isAtMost(absolute(real), magnitude) || Math.abs(stored) > magnitude) count++;
        };
        truth.inputs[u].forEach((one, j) => {
          const at = r * network.features + j;
          check(one, found.inputWeights[at], found.inputMagnitudes[at]);
        });
        chosen.forEach((v, i) => {
          const at = r * chosen.length + i;
          check(phases[v] === 0 ? truth.units[u][v] : ZERO, found.unitWeights[at], found.unitMagnitudes[at]);
        });
        check(truth.bias[u], found.bias[r], found.biasMagnitudes[r]);
      });
    }
  }
  assert.ok(seen > 1000, `${seen} numbers`);
  return count;
}

function exactAgain({ inputs, units, bias }: ExactCondensed, phases: Int8Array) {
  const rows = { inputs: [] as Exact[][], units: [] as Exact[][], bias: [] as Exact[] };
  bias.forEach((constant, u) => {
    let x = [...inputs[u]], r = units[u].map((w, v) => (phases[v] === 0 ? w : ZERO)), c = constant;
    for (let v = 0; v < Math.min(u, phases.length); v++) {
      const w = units[u][v];
      if (phases[v] <= 0) continue;
      x = x.map((one, j) => add(one, multiply(w, rows.inputs[v][j])));
      r = r.map((one, i) => add(one, multiply(w, rows.units[v][i])));
      c = add(c, multiply(w, rows.bias[v]));
    }
    rows.inputs.push(x);
    rows.units.push(r);
    rows.bias.push(c);
  });
  return rows;
}
