/** A search that is recorded: its bounds follow from the record over the rationals, and records that lie are found out. */
import assert from "node:assert/strict";
import { boundsOfTrees, type PieceRecord, type SearchRecord } from "../../../shared/certificate/search_record.ts";
import { condenseNetwork } from "../../../shared/condensed/condense_network.ts";
import { objectiveOf } from "../../../shared/search/objective.ts";
import { boundsHeights } from "../../../shared/search/bound_piece.ts";
import { regionOf } from "../../../shared/search/region.ts";
import { Random } from "../../exact/random.ts";
import { chain, passOf } from "../condensed/networks.ts";
import { exactCondensed } from "./exact_condensed.ts";
import { drawKinks, type Drawn, drawRegion } from "./pieces.ts";
import { falseRecord, recordedSearch } from "./record_claims.ts";

const SEED = 20_261_201, NETWORKS = 48, NODES = 120;

type Change = (piece: PieceRecord, record: SearchRecord) => PieceRecord | null;

const lowered: Change = (piece) => ({ ...piece, bound: piece.bound! - 1e-6 * (1 + Math.abs(piece.bound!)) });

Deno.test(`every bound of a recorded search follows from its record over the rationals (seed ${SEED})`, async () => {
  const counts: Record<string, number> = {
    pieces: 0,
    derived: 0,
    units: 0,
    weighed: 0,
    whole: 0,
    gradients: 0,
    phases: 0,
    row: 0,
    half_spaces: 0,
    exact: 0,
  };
  for (let index = 0; index < NETWORKS; index++) {
    const drawn = await draw(index);
    if (!drawn) continue;
    const { record, trees } = await recordedSearch(drawn, NODES);
    assert.deepEqual(falseRecord(drawn, record!, trees.map(({ upper }) => upper)), []);
    for (const { over_heights, weights, exact, parent, cut, empty } of record!.pieces) {
      counts.pieces++;
      if (over_heights) counts.derived++;
      if (exact) counts.gradients++;
      if (cut) counts.units++;
      if (parent !== null && !cut) counts.whole++;
      if (weights?.every((w) => w > 0)) counts.weighed++;
      if (empty) counts[empty.by]++;
    }
  }
  const { pieces, derived, units, row, half_spaces, weighed, whole } = counts;
  assert.ok(pieces > 500 && derived > pieces / 3 && units > 100 && row > 10, JSON.stringify(counts));
  assert.ok(
    half_spaces + counts.exact > 0 && weighed > 10 && whole > 0 && counts.gradients > 0,
    JSON.stringify(counts),
  );
});

Deno.test(`a recorded search leaves the same bytes twice (seed ${SEED})`, async () => {
  for (let index = 0; index < 12; index++) {
    const drawn = await draw(index);
    if (!drawn) continue;
    const one = await recordedSearch(drawn, NODES), other = await recordedSearch(drawn, NODES);
    assert.equal(JSON.stringify(one.record), JSON.stringify(other.record));
  }
});

Deno.test("over many inputs a recorded search takes the steps of one that is not", async () => {
  const drawn = await oneLayer(12, 80), one = await recordedSearch(drawn, NODES);
  const plain = await recordedSearch(drawn, NODES, false);
  assert.ok(plain.nodes > 20);
  assert.deepEqual({ ...one, record: undefined }, { ...plain, record: undefined });
  assert.equal(plain.record, undefined);
});

/** Every fourth on kinks, in a box without interior. */
const draw = (index: number) => (index % 4 === 0 ? drawKinks : drawRegion)(SEED, index);

const truthful: { readonly drawn: Drawn; readonly record: SearchRecord; readonly uppers: number[] }[] = [];
for (let index = 0; index < 32; index++) {
  const drawn = await draw(index);
  if (!drawn) continue;
  const { record, trees } = await recordedSearch(drawn, NODES / 3);
  truthful.push({ drawn, record: record!, uppers: trees.map(({ upper }) => upper) });
}

/** Halfway to the other end, where they are apart. */
const narrowed = <B extends { readonly lower: Numbers; readonly upper: Numbers }>(bounds: B, at: number): B => {
  const l = bounds.lower[at], h = bounds.upper[at];
  if (l === null || h === null || !(h - l > 1e-3)) return bounds;
  return { ...bounds, lower: bounds.lower.map((one, i) => (i === at ? (l + h) / 2 : one)) };
};
type Numbers = readonly (number | null)[];

for (
  const [name, change] of Object.entries<Change>({
    "a lowered bound": (piece, record) => isTight(piece, record) ? lowered(piece, record) : piece,
    "a missing part": (piece, { pieces }) =>
      pieces.some(({ parent }) => parent === pieces.indexOf(piece)) || !piece.cut ? piece : null,
    "no coefficients": (piece, { pieces }) => {
      const { over_gradients: _, over_heights: __, ...left } = piece;
      return piece.parent !== null && piece.bound! < pieces[piece.parent].bound! ? left : piece;
    },
    "an invented emptiness": (piece) =>
      piece.empty || !piece.cut ? piece : {
        ...piece,
        empty: { by: "half_spaces", units: [], multipliers: [] },
      },
    "phases that are said to exclude one another": (piece) =>
      piece.empty || !piece.cut ? piece : { ...piece, empty: { by: "phases" } },
    "a row that leaves heights": (piece) =>
      piece.empty || !piece.cut ? piece : { ...piece, empty: { by: "row", unit: 0, sign: 1 } },
    "an invented phase": (piece) => {
      const { phases, empty } = piece, at = phases?.indexOf(0) ?? -1;
      return empty || at < 0 ? piece : { ...piece, phases: phases!.map((phase, u) => (u === at ? 1 : phase)) };
    },
    "a narrower box": (piece) => piece.box && !piece.empty ? { ...piece, box: narrowed(piece.box, 0) } : piece,
    "narrower bounds of h": (piece) =>
      piece.heights && !piece.empty ? { ...piece, heights: narrowed(piece.heights, 0) } : piece,
    "narrower bounds of p": (piece) =>
      piece.gradients && piece.phases && !piece.empty
        ? { ...piece, gradients: narrowed(piece.gradients, piece.phases.indexOf(0)) }
        : piece,
    "narrower bounds of J": (piece) =>
      piece.entries && !piece.empty ? { ...piece, entries: narrowed(piece.entries, 0) } : piece,
    "bounds of h without slopes": (piece) => {
      const { lower_slopes: _, ...left } = piece;
      return piece.heights && !piece.empty && piece.cut ? left : piece;
    },
    "weights that are more than 1 together": (piece) =>
      piece.weights ? { ...piece, weights: piece.weights.map((w) => w + 0.5) } : piece,
    "another cut than its sibling's": (piece, { units }) =>
      piece.cut && "unit" in piece.cut && units.length > 1
        ? { ...piece, cut: { ...piece.cut, unit: (piece.cut.unit + 1) % units.length } }
        : piece,
    "a gradient of another number": (piece) =>
      piece.exact ? { ...piece, bound: piece.bound! - 1e-6 * (1 + piece.bound!) } : piece,
    "a part that is no part": (piece) => piece.cut ? { ...piece, cut: null } : piece,
  })
) {
  Deno.test(`a record with ${name} is found out (seed ${SEED})`, () => {
    let caught = 0, made = 0;
    for (const { drawn, record, uppers } of truthful) {
      const changed = changeOne(record, change);
      if (changed === null) continue;
      made++;
      if (falseRecord(drawn, changed, uppers).length > 0) caught++;
    }
    assert.ok(made > 2, `${name}: ${made} made`);
    assert.equal(caught, made, name);
  });
}

/** A value over one random layer. */
async function oneLayer(width: number, features: number) {
  const random = new Random(SEED, 0), ends = (end: number) => new Float64Array(features).fill(end);
  const box = { lower: ends(-1), upper: ends(1) };
  const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
  const graph = chain(
    features,
    [{ operator: "affine", weights: draw(features * width), bias: draw(width).map((one) => one / 8) }, width],
    [{ operator: "relu" }, width],
    [{ operator: "affine", weights: draw(width), bias: null }, 1],
  );
  const pass = await passOf(graph, box), network = condenseNetwork(pass)!, region = regionOf(network, box);
  const inputs = new Map(pass.states.map(({ boxes: [one] }, id) => [id, one]));
  const row = Float64Array.of(1), phases = new Int8Array(region.width);
  const objectives = [objectiveOf(region, { kind: "value", row }, null)];
  const exact = (): Drawn["exact"] => exactCondensed(pass, network);
  return { name: "one layer", original: { graph, inputs }, region, exact, box, phases, row, objectives, truths: [] };
}

Deno.test("a search whose pieces are too large for a record ends before they are made", async () => {
  for (const [features, roots] of [[30_000, 2], [60_000, 0]] as const) {
    const { exact: _, ...drawn } = await oneLayer(3, features), { aim } = drawn.objectives[0];
    const { record, nodes, open, stoppedBy, trees } = await recordedSearch(drawn, 24, true, [aim, aim]);
    assert.deepEqual([record!.pieces.length, nodes, open, stoppedBy], [roots, 0, 2, "record"]);
    assert.deepEqual(trees.map(({ upper }) => upper), boundsOfTrees(record!));
  }
});

Deno.test(`bounds of h that no piece renews are those of the region (seed ${SEED})`, async () => {
  const { exact, ...rest } = await oneLayer(80, 66), drawn: Drawn = { ...rest, exact: exact() };
  assert.ok(!boundsHeights(drawn.region));
  const { record, trees } = await recordedSearch(drawn, 24);
  assert.deepEqual(falseRecord(drawn, record!, trees.map(({ upper }) => upper)), []);
  const [root, ...parts] = record!.pieces;
  assert.ok(parts.length > 20 && root.heights && parts.every(({ heights, lower_slopes }) => !heights && !lower_slopes));
  const changed = { ...root, heights: narrowed(root.heights, 3) };
  assert.notDeepEqual(falseRecord(drawn, { ...record!, pieces: [changed, ...parts] }, trees.map((t) => t.upper)), []);
});

/** The first piece that the change does something to: of late ones some are empty, which rounding hides, and all is true. */
function changeOne(record: SearchRecord, change: Change): SearchRecord | null {
  for (let at = 0; at < record.pieces.length; at++) {
    const changed = change(record.pieces[at], record);
    if (changed === null) return { ...record, pieces: record.pieces.filter((_, k) => k !== at) };
    if (JSON.stringify(changed) !== JSON.stringify(record.pieces[at])) {
      return { ...record, pieces: record.pieces.map((piece, k) => (k === at ? changed : piece)) };
    }
  }
  return null;
}

/** A finished part whose every unit has its phase, in a norm: its bound is the truth, up to rounding. */
function isTight({ tree, cut, bound, empty, over_heights, phases }: PieceRecord, { trees }: SearchRecord): boolean {
  return trees[tree].aim === "norm" && cut !== null && bound !== null && !empty && over_heights !== undefined &&
    phases !== undefined && phases.every((phase) => phase !== 0);
}
