/** Bounds of pieces that are wrong in one place, made from the source, and the claims that notice them. */
import assert from "node:assert/strict";
import { Random } from "../../exact/random.ts";
import { falsePiece, type Steps } from "./piece_claims.ts";
import { drawKinks, drawPieces, drawRegion } from "./pieces.ts";
import { falseCuts, falseSearch } from "./search_claims.ts";

const SOURCES = new URL("../../../shared/search/", import.meta.url);
const PARTS = [
  "ascend",
  "bound_piece",
  "choose_split",
  "expand",
  "gradients",
  "leaf",
  "meet_half_spaces",
  "objective",
  "places",
  "preactivations",
  "push_down",
  "roots",
];
const SEED = 20_261_132, NETWORKS = 52;

interface Mutant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: Readonly<Record<string, Mutant>> = {
  "an unrounded clip": {
    file: "preactivations",
    from: "addDown(upper[j], -reach)",
    to: "upper[j] - most / Math.abs(w)",
  },
  "a clip from the wrong end": {
    file: "preactivations",
    from: "lower[j] = Math.max(lower[j], addDown(upper[j], -reach))",
    to: "upper[j] = Math.min(upper[j], addUp(lower[j], reach))",
  },
  "half-spaces of inactive units with the row above": {
    file: "meet_half_spaces",
    from: "const kept = phase > 0 ? rowsAbove : rowsBelow",
    to: "const kept = rowsAbove",
  },
  "half-spaces without their constants": {
    file: "meet_half_spaces",
    from: "constants.push(constant)",
    to: "constants.push(0)",
  },
  "lower bounds by the row above": {
    file: "meet_half_spaces",
    from: "row[j] = -rowsBelow[from + j]",
    to: "row[j] = -rowsAbove[from + j]",
  },
  "bounds at a vertex": {
    file: "meet_half_spaces",
    from: "if (value >= known - GAIN * reach && value > decides) return Infinity;",
    to: "return value;",
  },
  "a row's constant from the worse corner": {
    file: "preactivations",
    from: "rest -= w > 0 ? w * upper[j] : w * lower[j];",
    to: "rest -= w > 0 ? w * upper[j] + Math.abs(w) * (upper[j] - lower[j]) / 2 : w * lower[j];",
  },
  "a smaller network without what was decided on it": {
    file: "places",
    from: "phases: wholePhases(piece)",
    to: "phases: new Int8Array(wholePhases(piece).length)",
  },
  "heights of other units": {
    file: "places",
    from: "heights: box(heights),",
    to: "heights: { lower: heights.lower.slice(0, count), upper: heights.upper.slice(0, count) },",
  },
  "phases closed on boxes without interior": {
    file: "preactivations",
    from: "isSolid ? lower[u] >= 0 : lower[u] > 0",
    to: "lower[u] >= 0",
  },
  "a parent's bound that is not inherited": {
    file: "bound_piece",
    from: "found < part.upper ? found : part.upper",
    to: "found + 1",
  },
  "a sign of J taken from the wrong end": {
    file: "gradients",
    from: "entryLower[j] >= 0 ? 1",
    to: "entryUpper[j] >= 0 ? 1",
  },
  "an intercept of |J| without one vertex": {
    file: "bound_piece",
    from: "Math.max((1 - slope) * b, (-1 - slope) * a)",
    to: "(-1 - slope) * a / 2",
  },
  "an intercept of g without its vertex": {
    file: "gradients",
    from: "nextUp(Math.max(-upperSlope * a, (1 - upperSlope) * b))",
    to: "0",
  },
  "a derivative that is 1 wherever p is above 0": {
    file: "gradients",
    from: "if (a >= 0) upperSlope = 1;",
    to: "if (a >= 0) lowerSlope = upperSlope = 1;",
  },
  "a constant without the active branch": {
    file: "push_down",
    from: "if (!(other <= constant)) constant = other;",
    to: "constant = other;",
  },
  "a constant without the inactive branch": {
    file: "push_down",
    from: "if (!(other <= constant)) constant = other;",
    to: "if (phase < 0) constant = other;",
  },
  "mu below 0 that costs nothing": {
    file: "push_down",
    from: "sum += constant +",
    to: "sum += (phase === 0 ? constant : 0) +",
  },
  "a coefficient that is no number and no charge": {
    file: "push_down",
    from: "if (lift !== 0) mass +=",
    to: "if (lift > 0) mass +=",
  },
  "a dropped leaf": {
    file: "expand",
    from: "if (outcome.closed > closed) closed = outcome.closed;",
    to: "",
  },
  "a dropped part": {
    file: "expand",
    from: "return [1, -1].map",
    to: "return [1].map",
  },
  "halves that do not meet": {
    file: "expand",
    from: "(side === 0 ? box.upper : box.lower)[feature] = at;",
    to: "if (side === 0) box.upper[feature] = at; else box.lower[feature] = (at + box.upper[feature]) / 2;",
  },
  "leaves without interior dropped on boxes without interior": {
    file: "expand",
    from: 'if (decision.kind === "empty" || (decision.kind === "thin" && region.isSolid)) {',
    to: 'if (decision.kind === "empty" || decision.kind === "thin") {',
  },
  "a half-space on the wrong side of its kink": {
    file: "leaf",
    from: "phases[u] * all[u * features + j]",
    to: "-phases[u] * all[u * features + j]",
  },
  "half-spaces of inactive units below": {
    file: "leaf",
    from: "if (phases[v] < 0) continue;",
    to: "",
  },
  "exact rows whose kinks are all at 0": {
    file: "leaf",
    from: "lessNumber(form, unit.kink)",
    to: "lessNumber(form, 0)",
  },
  "a leaf's exact number rounded down": {
    file: "leaf",
    from: "Math.min(upper, exact.upper)",
    to: "Math.min(upper, exact.lower)",
  },
  "a leaf's exact number without what is active": {
    file: "leaf",
    from: "exactOutput(original.graph, allPhases(region, original, phases)",
    to: "exactOutput(original.graph, allPhases(region, original, phases.map(() => -1))",
  },
  "a leaf that no bound tells from a thin one": {
    file: "leaf",
    from: "{ lower: lower.map((l) => l - 1 - Math.abs(l)), upper: upper.map((u) => u + 1 + Math.abs(u)) }",
    to: "{ lower, upper }",
  },
  "leaves called thin where they are not empty": {
    file: "leaf",
    from: 'return kind === "empty" || kind === "thin";',
    to: 'return kind !== "empty";',
  },
  "charges of entries that their bounds overwrite": {
    file: "objective",
    from: "upper: entryCharges.slice() }",
    to: "upper: entryCharges }",
  },
  "magnitudes that leave the seed out": {
    file: "objective",
    from: "for (let u = width - 1; u >= 0; u--) charges[u] = sumOf(seedCharges[u],",
    to: "for (let u = width - 1; u >= 0; u--) charges[u] = sumOf(0,",
  },
};

/** Steps of their own, from copies of the sources of which one is changed. */
async function stepsWith({ file, from, to }: Mutant, folder: string): Promise<Steps> {
  for (const part of PARTS) {
    let text = await Deno.readTextFile(new URL(`${part}.ts`, SOURCES));
    if (part === file) {
      assert.equal(text.split(from).length, 2, `${file}.ts has one place to change: ${from}`);
      text = text.replace(from, () => to);
    }
    text = text.replace(/from "(\.\.?\/[\w/]+\.ts)"/g, (all, path: string) => {
      const copied = path.startsWith("./") && PARTS.includes(path.slice(2, -3));
      return copied ? all : `from "${new URL(path, SOURCES)}"`;
    });
    await Deno.writeTextFile(`${folder}/${part}.ts`, text);
  }
  return Object.assign({}, ...await Promise.all(PARTS.map((part) => import(`file://${folder}/${part}.ts`))));
}

/** What the claims find, up to the first. */
async function noticed(steps: Steps): Promise<string | undefined> {
  for (let index = 0; index < NETWORKS; index++) {
    const region = regions[index], random = new Random(SEED, index);
    for (const drawn of pieces[index]) {
      const [found] = falsePiece(drawn, random, steps);
      if (found) return found;
    }
    if (!region) continue;
    const [found] = [
      ...falsePiece(region, random, steps),
      ...falseCuts(region, random, steps),
      ...(await falseSearch(region, steps, [40, 600])).found,
    ];
    if (found) return found;
  }
}

const indices = Array.from({ length: NETWORKS }, (_, index) => index);
const regions = await Promise.all(indices.map((index) => (index % 8 === 0 ? drawKinks : drawRegion)(SEED, index)));
const pieces = await Promise.all(indices.map((index) => drawPieces(SEED, index, 2)));

Deno.test(`bounds of pieces: a copy keeps all claims (seed ${SEED})`, () =>
  withSteps({ file: "roots", from: "const part: Part", to: "const part: Part" }, async (steps) => {
    assert.equal(await noticed(steps), undefined);
  }));

for (const [what, mutant] of Object.entries(MUTANTS)) {
  Deno.test(`bounds of pieces: ${what} is noticed (seed ${SEED})`, () =>
    withSteps(mutant, async (steps) => {
      assert.notEqual(await noticed(steps), undefined);
    }));
}

async function withSteps(mutant: Mutant, check: (steps: Steps) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await check(await stepsWith(mutant, folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
