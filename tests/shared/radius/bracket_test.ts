/** The order in which radii are tried, against claims that hold up to one radius and are seen to fail from another. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bracket, mostSteps, nextRadius, radiusGap } from "../../../shared/properties/bracket.ts";

const SEED = 5101;

/** Tries radii until there is no next one; what was tried. */
function bisect(holds: number, fails: number, max: number, gap: number): Bracket & { readonly tried: number[] } {
  const tried: number[] = [];
  let bracket: Bracket = { certified: null, refuted: null, open: [] };
  for (let next = nextRadius(bracket, max, gap); next !== null; next = nextRadius(bracket, max, gap)) {
    assert.ok(!tried.includes(next), `${next} was tried before: ${tried}`);
    tried.push(next);
    if (next <= holds) bracket = { ...bracket, certified: Math.max(next, bracket.certified ?? 0) };
    else if (next >= fails) bracket = { ...bracket, refuted: Math.min(next, bracket.refuted ?? Infinity) };
    else bracket = { ...bracket, open: [...bracket.open, next] };
    assert.ok(tried.length < 400, "it does not end");
  }
  return { ...bracket, tried };
}

Deno.test(`nextRadius() brings both edges within the gap of the real ones, in few steps (seed ${SEED})`, () => {
  const shares = fc.tuple(
    fc.double({ min: 8 ** -5, max: 0.9, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(
      shares,
      fc.constantFrom(1e-6, 1e-3, 0.1, 0.6),
      fc.constantFrom(1e-9, 0.5, 1e6),
      ([hold, more], gap, max) => {
        const holds = hold * max, fails = holds + Math.max(more, 1e-12) * (max - holds);
        const { certified, refuted, tried } = bisect(holds, fails, max, gap);
        assert.ok(
          certified! <= holds && holds <= certified! * (1 + 2 * gap / (1 - gap)),
          `${certified}, holds to ${holds}`,
        );
        assert.ok(refuted! >= fails && refuted! * (1 - gap) <= fails * (1 + 1e-9), `${refuted}, fails from ${fails}`);
        assert.ok(tried.length <= mostSteps(gap), `${tried.length} steps, announced ${mostSteps(gap)}`);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("nextRadius() ends at once where the largest radius holds, or the center itself fails", () => {
  assert.deepEqual(bisect(2, 3, 1, 1e-3).tried, [1]);
  assert.deepEqual(bisect(-1, 0, 1, 1e-3).tried, [1, 0]);
});

Deno.test("nextRadius() looks on for what is refuted where nothing is proved, and never for it where nothing is", () => {
  const { certified, refuted, tried } = bisect(-1, 0.25, 1, 1e-3);
  assert.ok(certified === null && refuted! >= 0.25 && refuted! * 0.999 <= 0.25, `${refuted}`);
  assert.ok(tried.length <= mostSteps(1e-3));
  assert.deepEqual(bisect(-1, 2, 1, 1e-3).tried, [1, 0]);
});

Deno.test("mostSteps() is what the README says, and grows by two for a gap half as wide", () => {
  assert.equal(mostSteps(1e-3), 32);
  assert.equal(mostSteps(0.1) + 2, mostSteps(0.05));
});

Deno.test("radiusGap() is 0 at the ends, relative in between, unknown where a radius is missing", () => {
  assert.equal(radiusGap(1, null, 1), 0);
  assert.equal(radiusGap(null, 0, 1), 0);
  assert.equal(radiusGap(0.75, 1, 2), 0.25);
  assert.equal(radiusGap(null, 1, 2), null);
  assert.equal(radiusGap(0.5, null, 2), null);
});
