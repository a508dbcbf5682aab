import assert from "node:assert/strict";
import { decideLeaf, type Decision, type Leaf } from "../../../shared/linear/decide_leaf.ts";
import { formOfDoubles } from "../../../shared/linear/exact_form.ts";
import { exactRoom } from "../../../shared/linear/exact_simplex.ts";
import { hasNoInterior, provesNoInterior, rowRelations, unitForm } from "../../../shared/linear/no_interior.ts";
import { Random } from "../../exact/random.ts";
import { type IntegerProgram, signOfRoom } from "./exact_programs.ts";

const SEED = 20_261_202;

/** Half-spaces whose doubles are the truth; `error` is what they are said to be off by. */
function leafOf({ rows, constants, lower, upper }: IntegerProgram, error = 1e-12): Leaf {
  return {
    box: { lower: Float64Array.from(lower), upper: Float64Array.from(upper) },
    halfSpaces: { rows: Float64Array.from(rows.flat()), constants: Float64Array.from(constants) },
    errors: new Float64Array(constants.length).fill(error),
    exactRow: (i) => formOfDoubles(rows[i], constants[i]),
  };
}

function randomProgram(random: Random): IntegerProgram {
  const n = random.integer(1, 3), m = random.integer(1, n === 3 ? 4 : 6);
  const lower = Array.from({ length: n }, () => random.integer(-1, 0));
  const upper = lower.map((l) => l + (random.chance(0.15) ? 0 : random.integer(1, 2)));
  const inner = lower.map((l, j) => random.integer(l, upper[j]));
  const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => random.integer(-2, 2)));
  if (m > 1 && random.chance(0.3)) rows[1] = rows[0].map((a) => -a);
  if (m > 2 && random.chance(0.3)) rows[2] = rows[0].map((a, j) => -a - rows[1][j]);
  // Many pass through one point, so that thin sets are common.
  const constants = rows.map((row) => {
    const through = -row.reduce((sum, a, j) => sum + a * inner[j], 0);
    return random.chance(0.7) ? through : through + random.integer(-1, 2);
  });
  return { rows, constants, lower, upper };
}

const signOf = ({ kind }: Decision): number => ({ empty: -1, thin: 0, inside: 1, unknown: NaN })[kind];

Deno.test(`decideLeaf() agrees with the enumeration of every vertex (seed ${SEED})`, () => {
  const random = new Random(SEED), seen = { "-1": 0, "0": 0, "1": 0 };
  for (let k = 0; k < 1500; k++) {
    const program = randomProgram(random), sign = signOfRoom(program);
    const decision = decideLeaf(leafOf(program, random.pick([0, 1e-12, 0.6])));
    assert.equal(signOf(decision), sign, `${k}: ${JSON.stringify(program)} ${decision.kind}`);
    seen[`${sign}`]++;
  }
  assert.ok(Object.values(seen).every((count) => count > 150), JSON.stringify(seen));
});

Deno.test(`exactRoom() gives the sign, and multipliers that prove what is not above 0 (seed ${SEED})`, () => {
  const random = new Random(SEED, 1);
  for (let k = 0; k < 500; k++) {
    const program = randomProgram(random), { box } = leafOf(program);
    const exact = program.rows.map((row, i) => formOfDoubles(row, program.constants[i]));
    const forms = exact.map((form) => unitForm(form, box));
    if (forms.some(({ slopes }) => slopes.every((s) => s === 0n))) continue;
    const found = exactRoom(forms.map(({ slopes, value }) => [...slopes, value]), 500)!;
    assert.equal(found.sign, signOfRoom(program));
    for (const share of found.point) assert.ok(0n <= share && share <= found.denominator);
    if (found.sign === 1) continue;
    assert.equal(provesNoInterior(forms, found.multipliers), found.sign === 0 ? "thin" : "empty");
    assert.ok(hasNoInterior(exact, box, found.multipliers));
  }
});

Deno.test(`hasNoInterior() is never true where there is an interior, whatever the multipliers (seed ${SEED})`, () => {
  const random = new Random(SEED, 2);
  let proofs = 0;
  for (let k = 0; k < 4000; k++) {
    const program = randomProgram(random), { box } = leafOf(program);
    const exact = program.rows.map((row, i) => formOfDoubles(row, program.constants[i]));
    const multipliers = exact.map(() => BigInt(random.integer(-1, 2)));
    if (!hasNoInterior(exact, box, multipliers)) continue;
    proofs++;
    assert.ok(signOfRoom(program) < 1, JSON.stringify(program));
  }
  assert.ok(proofs > 100, `${proofs}`);
});

/** The lemma without one of its conditions: each must be refuted by an interior that is there. */
Deno.test(`hasNoInterior() without one of its conditions is wrong, and the enumeration sees it (seed ${SEED})`, () => {
  const random = new Random(SEED, 3);
  let signless = 0, motionless = 0;
  for (let k = 0; k < 4000; k++) {
    const program = randomProgram(random), { box } = leafOf(program);
    const forms = program.rows.map((row, i) => unitForm(formOfDoubles(row, program.constants[i]), box));
    if (signOfRoom(program) < 1) continue;
    const multipliers = forms.map(() => BigInt(random.integer(-1, 2)));
    if (provesNoInterior(forms, multipliers) !== null) signless++;
    const positive = multipliers.map((y) => (y < 0n ? 0n : y));
    const maximum = forms.reduce(
      (sum, { slopes, value }, i) =>
        sum + positive[i] * (value + slopes.reduce((most, s) => (s > 0n ? most + s : most), 0n)),
      0n,
    );
    if (maximum <= 0n) motionless++;
  }
  assert.ok(signless > 0 && motionless > 0, `${signless} without signs, ${motionless} without motion`);
});

const thin: Record<string, IntegerProgram> = {
  "opposite rows": { rows: [[1, -2], [-1, 2]], constants: [0, 0], lower: [-1, -1], upper: [1, 1] },
  "three planes through a line": {
    rows: [[1, 0, 0], [0, 1, 0], [-1, -1, 0]],
    constants: [0, 0, 0],
    lower: [-1, -1, -1],
    upper: [1, 1, 1],
  },
  "a kink on a face of the box": { rows: [[1, 0]], constants: [-1], lower: [0, 0], upper: [1, 1] },
  "a kink in a corner": { rows: [[-1, -1]], constants: [0], lower: [0, 0], upper: [1, 1] },
};

for (const [name, program] of Object.entries(thin)) {
  Deno.test(`decideLeaf() knows a thin leaf: ${name}`, () => assert.equal(decideLeaf(leafOf(program)).kind, "thin"));
}

Deno.test("decideLeaf() knows duplicated rows and a kink shared by neurons for what they are: an interior", () => {
  const program = { rows: [[1, 1], [2, 2], [1, 1]], constants: [-2, -4, -2], lower: [0, 0], upper: [1, 1.25] };
  assert.equal(decideLeaf(leafOf(program)).kind, "inside");
  assert.equal(decideLeaf(leafOf({ ...program, upper: [1, 1] })).kind, "thin");
});

Deno.test("decideLeaf() sees room of one unit in the last place, and its lack", () => {
  const x = 0.1 + 0.2,
    at = (b: number): IntegerProgram => ({ rows: [[1], [-1]], constants: [-x, b], lower: [0], upper: [1] });
  assert.equal(decideLeaf(leafOf(at(x))).kind, "thin");
  assert.equal(decideLeaf(leafOf(at(x + 2 ** -54))).kind, "inside");
  assert.equal(decideLeaf(leafOf(at(x - 2 ** -54))).kind, "empty");
});

Deno.test("decideLeaf() is open where a row that decides cannot be had", () => {
  assert.equal(decideLeaf({ ...leafOf(thin["opposite rows"]), exactRow: () => null }).kind, "unknown");
});

Deno.test(`decideLeaf() decides thin leaves of many coordinates (seed ${SEED})`, () => {
  const random = new Random(SEED, 4);
  for (const n of [60, 784]) {
    const rows = [0, 1, 2].map(() => Array.from({ length: n }, () => random.normal()));
    const opposite = rows[0].map((a) => -a);
    const program = {
      rows: [...rows, opposite],
      constants: [0, 3, 3, 0],
      lower: rows[0].map(() => -0.1),
      upper: rows[0].map(() => 0.1),
    };
    assert.equal(decideLeaf(leafOf(program)).kind, "thin");
    assert.equal(decideLeaf(leafOf({ ...program, constants: [0, 3, 3, 2 ** -60] })).kind, "inside");
    assert.equal(decideLeaf(leafOf({ ...program, constants: [0, 3, 3, -(2 ** -60)] })).kind, "empty");
  }
});

Deno.test("rowRelations() sees equal and opposite rows up to a factor, on the box", () => {
  const box = { lower: Float64Array.of(0, 0, 2), upper: Float64Array.of(1, 1, 2) };
  const forms = [[3, 1, 0, 2], [-6, -2, 0, -4], [1, 1, 0, 0], [3, 1, 1, 0], [0, 0, 1, -2], [0.75, 0.25, 0, 0.5]]
    .map((row) => formOfDoubles(row.slice(0, 3), row[3]));
  const relations = rowRelations(forms, box);
  assert.deepEqual(relations.map(({ first }) => first), [0, 0, 2, 0, 4, 0]);
  assert.deepEqual(relations.map(({ sign }) => sign), [1, -1, 1, 1, 0, 1]);
});
