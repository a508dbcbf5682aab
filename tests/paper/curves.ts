/** The curves that records hold: bounds over width, over depth, and over the radius of the box. */
import { answerTo, type CaseRecord, lowerOf, maxOrNull, type ModelRecord, restrictedTo, upperOf } from "./record.ts";
import { type Plot, plotSvg, type Series } from "./plot.ts";

export interface Curve {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** One record's case at one place of the x axis. */
interface Place {
  readonly x: number;
  readonly one: CaseRecord;
}

const FAMILIES = [
  { file: "width", pattern: /^simple_mlp3_w(\d+)$/, xLabel: "neurons in each of two hidden layers", xScale: "log" },
  { file: "depth", pattern: /^simple_w32_d(\d+)$/, xLabel: "affine layers (32 neurons each)", xScale: "linear" },
] as const;

const Y_LABEL = "l∞ local Lipschitz constant (output units per input unit)";

/** The curves for which there are at least two places: over the radius for the last of each family and for all others. */
export function curvesOf(records: readonly ModelRecord[]): Curve[] {
  const families = FAMILIES.flatMap((family) => familyCurve(records, family));
  const last = FAMILIES.map((family) => membersOf(records, family).at(-1)?.record);
  const isMember = ({ name }: ModelRecord) => FAMILIES.some(({ pattern }) => pattern.test(name));
  const chosen = records.filter((record) => !isMember(record) || last.includes(record));
  return [...families, ...chosen.flatMap(radiusCurve)];
}

type Family = typeof FAMILIES[number];

/** The networks of a family that were answered, by what grows in it. */
function membersOf(records: readonly ModelRecord[], { pattern }: Family): { x: number; record: ModelRecord }[] {
  return records.flatMap((record) => {
    const match = pattern.exec(record.name);
    return match === null || record.cases.length === 0 ? [] : [{ x: Number(match[1]), record }];
  }).sort((a, b) => a.x - b.x);
}

/** Networks of one family on one radius that all of them have. */
function familyCurve(records: readonly ModelRecord[], family: Family): Curve[] {
  const members = membersOf(records, family).map(({ x, record }) => ({ x, cases: firstInput(record) }));
  if (members.length < 2) return [];
  const shared = members[0].cases.filter(({ eps }) => members.every(({ cases }) => cases.some((c) => c.eps === eps)));
  // 8/255 is the largest radius of the networks on images too.
  const chosen = shared.find(({ epsText }) => epsText === "8/255") ?? shared[shared.length - 1];
  if (chosen === undefined) return [];
  const places = members.map(({ x, cases }) => ({ x, one: cases.find(({ eps }) => eps === chosen.eps)! }));
  const title = `Bounds over ${family.file}, eps = ${chosen.epsText}`;
  const xTicks = places.map(({ x }) => ({ at: x, label: String(x) }));
  const { xLabel, xScale } = family;
  return [drawn(`${family.file}.svg`, { title, xLabel, yLabel: Y_LABEL, xScale, xTicks, series: seriesOf(places) })];
}

/** One network over the radius. */
function radiusCurve(record: ModelRecord): Curve[] {
  const places = firstInput(record).filter(({ eps }) => eps > 0).map((one) => ({ x: one.eps, one }));
  if (places.length < 2) return [];
  const title = `Bounds over the radius: ${record.name}`;
  const xTicks = places.map(({ x, one }) => ({ at: x, label: one.epsText }));
  const xLabel = "radius eps of the box (input units; inputs lie in [0, 1])";
  return [
    drawn(`eps_${record.name}.svg`, {
      ...{ title, xLabel, yLabel: Y_LABEL, xScale: "log", xTicks, series: seriesOf(places) },
    }),
  ];
}

function drawn(file: string, plot: Plot): Curve {
  return { file, title: plot.title, svg: plotSvg(plot) };
}

/** The cases of a record's first input, by radius. */
function firstInput({ cases }: ModelRecord): CaseRecord[] {
  return cases.filter(({ testIndex }) => testIndex === cases[0].testIndex).sort((a, b) => a.eps - b.eps);
}

/** The series over the outputs that were asked for at every place. */
function seriesOf(asked: readonly Place[]): Series[] {
  const outputs = asked[0].one.outputs.filter((k) => asked.every(({ one }) => one.outputs.includes(k)));
  const places = asked.map(({ x, one }) => ({ x, one: restrictedTo(one, outputs) }));
  const points = (value: (one: CaseRecord) => number | null) =>
    places.flatMap(({ x, one }) => {
      const y = value(one);
      return y === null ? [] : [[x, y] as const];
    });
  return [
    {
      ...{ label: "product of norms", colour: "grey", marker: "diamond", line: "dashed" },
      points: points((one) => upperOf(answerTo(one, "product"))),
    },
    {
      ...{ label: "interval", colour: "purple", marker: "triangle", line: "solid" },
      points: points((one) => upperOf(answerTo(one, "interval"))),
    },
    {
      ...{ label: "recurjac", colour: "orange", marker: "diamond", line: "solid" },
      points: points((one) => upperOf(answerTo(one, "recurjac"))),
    },
    {
      ...{ label: "linear", colour: "blue", marker: "circle", line: "solid" },
      points: points((one) => upperOf(answerTo(one, "linear"))),
    },
    {
      ...{ label: "best stored linear", colour: "text", marker: "square", line: "none" },
      points: points((one) => maxOrNull(one.best.bp)),
    },
    {
      ...{ label: "exact", colour: "text", marker: "cross", line: "none" },
      points: points((one) => one.exact === null ? null : Math.max(...one.exact)),
    },
    {
      ...{ label: "proved lower bound", colour: "green", marker: "circle", line: "dashed" },
      points: points((one) => lowerOf(answerTo(one, "linear"))),
    },
  ] satisfies Series[];
}
