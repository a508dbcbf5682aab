/**
 * The simplex method over the integers: every entry of the table is an integer over one common denominator, the
 * determinant of the basis, by which each division is exact (Edmonds 1967, Bareiss 1968). Nothing rounds.
 */
export interface ExactRoom {
  /** The sign of the largest t; where it is 1 the point has t > 0 but perhaps not the largest. */
  readonly sign: -1 | 0 | 1;
  /** Where `sign` is not 1: >= 0, not all 0, and the largest value of sum multipliers_i row_i on the cube is <= 0. */
  readonly multipliers: readonly bigint[];
  /** Coordinates of the point, point_k / denominator in [0, 1]. */
  readonly point: readonly bigint[];
  readonly denominator: bigint;
}

interface Table {
  readonly m: number;
  readonly n: number;
  /** [m + 1][n + 1], as in `Dictionary`, over `denominator` > 0. */
  readonly rows: bigint[][];
  readonly basic: Int32Array;
  readonly columns: Int32Array;
  readonly structural: number;
  readonly flipped: Uint8Array;
  denominator: bigint;
}

/**
 * Maximises t with rows_i . (x, 1) >= t, x in the unit cube, until t > 0 or to its end.
 *
 * Shapes: rows [m][n + 1], the last entry the value at x = 0. Bland's rule: it ends. null after `pivots` steps.
 */
export function exactRoom(rows: readonly (readonly bigint[])[], pivots: number): ExactRoom | null {
  const table = start(rows), { m, n, structural } = table;
  for (let step = 0; step <= pivots; step++) {
    if (table.rows[m][n] > 0n) return end(table, 1);
    const entering = enteringColumn(table);
    if (entering < 0) return end(table, table.rows[m][n] < 0n ? -1 : 0);
    const row = blockingRow(table, entering);
    if (row < 0) {
      if (table.columns[entering] >= structural) throw new RangeError("t is bounded by every row");
      flip(table, entering);
    } else {
      if (table.rows[row][entering] > 0n) complement(table, row);
      pivot(table, row, entering);
    }
  }
  return null;
}

function start(raw: readonly (readonly bigint[])[]): Table {
  const structural = raw[0].length - 1, m = raw.length - 1;
  let least = 0;
  for (let r = 1; r <= m; r++) if (raw[r][structural] < raw[least][structural]) least = r;
  const rows: bigint[][] = [], basic = new Int32Array(m);
  for (let r = 0; r <= m; r++) {
    if (r === least) continue;
    basic[rows.length] = structural + r;
    const row = raw[r].map((a, k) => a - raw[least][k]);
    rows.push([...row.slice(0, -1), 1n, row[structural]]);
  }
  rows.push([...raw[least].slice(0, -1), -1n, raw[least][structural]]);
  const columns = Int32Array.from({ length: structural + 1 }, (_, k) => k);
  columns[structural] = structural + least;
  const flipped = new Uint8Array(structural);
  return { m, n: structural + 1, rows, basic, columns, structural, flipped, denominator: 1n };
}

/** The lowest variable whose growth raises t (Bland). */
function enteringColumn({ m, n, rows, columns }: Table): number {
  let entering = -1;
  for (let j = 0; j < n; j++) {
    if (rows[m][j] > 0n && (entering < 0 || columns[j] < columns[entering])) entering = j;
  }
  return entering;
}

/** The row that blocks first, the lowest variable of those; -1 where the column's own end comes before all of them. */
function blockingRow({ m, n, rows, basic, columns, structural, denominator }: Table, entering: number): number {
  let row = -1, room = 0n, slope = 0n;
  if (columns[entering] < structural) [room, slope] = [1n, 1n];
  for (let i = 0; i < m; i++) {
    const a = rows[i][entering];
    if (a === 0n || (a > 0n && basic[i] >= structural)) continue;
    const [here, steep] = a < 0n ? [rows[i][n], -a] : [denominator - rows[i][n], a];
    const difference = slope === 0n ? -1n : here * slope - room * steep;
    if (difference > 0n) continue;
    if (difference === 0n && (row < 0 ? columns[entering] < basic[i] : basic[row] < basic[i])) continue;
    [row, room, slope] = [i, here, steep];
  }
  return row;
}

function flip({ m, n, rows, columns, flipped }: Table, column: number): void {
  for (let i = 0; i <= m; i++) {
    rows[i][n] += rows[i][column];
    rows[i][column] = -rows[i][column];
  }
  flipped[columns[column]] ^= 1;
}

function complement({ n, rows, basic, flipped, denominator }: Table, row: number): void {
  const values = rows[row];
  for (let j = 0; j < n; j++) values[j] = -values[j];
  values[n] = denominator - values[n];
  flipped[basic[row]] ^= 1;
}

function pivot(table: Table, row: number, column: number): void {
  const { m, n, rows, basic, columns, denominator } = table, p = rows[row], own = p[column];
  // own < 0: the row's variable falls to 0 while the column's grows. The new denominator is -own.
  for (let i = 0; i <= m; i++) {
    if (i === row) continue;
    const target = rows[i], factor = target[column];
    for (let j = 0; j <= n; j++) {
      if (j !== column) target[j] = (factor * p[j] - own * target[j]) / denominator;
    }
    target[column] = -factor;
  }
  for (let j = 0; j <= n; j++) if (j === column) p[j] = -denominator;
  table.denominator = -own;
  [basic[row], columns[column]] = [columns[column], basic[row]];
}

function end(table: Table, sign: -1 | 0 | 1): ExactRoom {
  const { m, n, rows, basic, columns, structural, flipped, denominator } = table;
  const multipliers = new Array<bigint>(m + 1).fill(0n), point = new Array<bigint>(structural).fill(0n);
  for (let j = 0; j < n; j++) if (columns[j] >= structural) multipliers[columns[j] - structural] = -rows[m][j];
  for (let i = 0; i < m; i++) if (basic[i] < structural) point[basic[i]] = rows[i][n];
  for (let k = 0; k < structural; k++) if (flipped[k] === 1) point[k] = denominator - point[k];
  return { sign, multipliers, point, denominator };
}
