/** A search that is recorded: its bounds follow from the record over the rationals, and records that lie are found out. */
import assert from "node:assert/strict";
import type { PieceRecord, SearchRecord } from "../../../shared/certificate/search_record.ts";
import { drawRegion } from "./pieces.ts";
import { falseRecord, recordedSearch } from "./record_claims.ts";

const SEED = 20_261_201, NETWORKS = 60, NODES = 120;

type Change = (piece: PieceRecord, record: SearchRecord) => PieceRecord | null;

const lowered: Change = (piece) => ({ ...piece, bound: piece.bound! - 1e-6 * (1 + Math.abs(piece.bound!)) });

Deno.test(`every bound of a recorded search follows from its record over the rationals (seed ${SEED})`, async () => {
  const counts: Record<string, number> = {
    pieces: 0,
    derived: 0,
    units: 0,
    boxes: 0,
    phases: 0,
    row: 0,
    half_spaces: 0,
    exact: 0,
  };
  for (let index = 0; index < NETWORKS; index++) {
    const drawn = await drawRegion(SEED, index);
    if (!drawn) continue;
    const { record, trees } = await recordedSearch(drawn, NODES);
    assert.deepEqual(falseRecord(drawn, record!, trees.map(({ upper }) => upper)), []);
    for (const { over_heights, cut, empty } of record!.pieces) {
      counts.pieces++;
      if (over_heights) counts.derived++;
      if (cut) counts.units++;
      if (empty) counts[empty.by]++;
    }
  }
  const { pieces, derived, units, row, half_spaces } = counts;
  assert.ok(pieces > 500 && derived > pieces / 3 && units > 100 && row > 10, JSON.stringify(counts));
  assert.ok(half_spaces + counts.exact > 0, JSON.stringify(counts));
});

Deno.test(`a recorded search takes the steps of one that is not, and leaves the same bytes twice (seed ${SEED})`, async () => {
  for (let index = 0; index < 12; index++) {
    const drawn = await drawRegion(SEED, index);
    if (!drawn) continue;
    const one = await recordedSearch(drawn, NODES), other = await recordedSearch(drawn, NODES);
    assert.equal(JSON.stringify(one.record), JSON.stringify(other.record));
    const plain = await recordedSearch(drawn, NODES, false);
    assert.deepEqual({ ...one, record: undefined }, { ...plain, record: undefined });
    assert.equal(plain.record, undefined);
  }
});

Deno.test(`a lowered bound, a missing part, missing coefficients and an invented emptiness are found out (seed ${SEED})`, async () => {
  const changes: Record<string, Change> = {
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
  };
  for (const [name, change] of Object.entries(changes)) {
    let caught = 0, made = 0;
    for (let index = 0; index < 24; index++) {
      const drawn = await drawRegion(SEED, index);
      if (!drawn) continue;
      const { record, trees } = await recordedSearch(drawn, NODES);
      const changed = changeOne(record!, change);
      if (changed === null) continue;
      made++;
      if (falseRecord(drawn, changed, trees.map(({ upper }) => upper)).length > 0) caught++;
    }
    assert.ok(made > 3, `${name}: ${made} made`);
    assert.equal(caught, made, name);
  }
});

/** The last piece that the change does something to. */
function changeOne(record: SearchRecord, change: Change): SearchRecord | null {
  for (let at = record.pieces.length - 1; at >= 0; at--) {
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
