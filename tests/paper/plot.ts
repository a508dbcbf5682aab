/** A line plot with a logarithmic y axis as SVG text, readable on light and on dark ground (colours follow the reader's scheme). */

export type Marker = "circle" | "square" | "diamond" | "triangle" | "cross";

export interface Series {
  readonly label: string;
  /** Which of {@link COLOURS}. */
  readonly colour: keyof typeof COLOURS;
  readonly marker: Marker;
  /** No line where the points stand for themselves. */
  readonly line: "solid" | "dashed" | "none";
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Logarithmic for what grows by factors. */
  readonly xScale: "linear" | "log";
  readonly xTicks: readonly { readonly at: number; readonly label: string }[];
  readonly series: readonly Series[];
}

/** On light ground, on dark ground. */
const COLOURS = {
  grey: ["#6e7781", "#9aa4ae"],
  purple: ["#9b2393", "#e48ade"],
  orange: ["#b35900", "#ffa657"],
  blue: ["#0a5cc2", "#6cb6ff"],
  green: ["#1a7f37", "#57d364"],
  text: ["#1f2328", "#e6edf3"],
} as const;

const WIDTH = 760, HEIGHT = 440;
const LEFT = 78, RIGHT = 186, TOP = 44, BOTTOM = 60;
const INNER_WIDTH = WIDTH - LEFT - RIGHT, INNER_HEIGHT = HEIGHT - TOP - BOTTOM;
/** Share of the width left free at both sides, so that no marker lies on an axis. */
const SIDE = 0.04;

/** The plot; points whose y is not a positive number are left out. */
export function plotSvg(plot: Plot): string {
  const series = plot.series
    .map((one) => ({ ...one, points: one.points.filter(([, y]) => y > 0 && y < Infinity) }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0 || plot.xTicks.length === 0) throw new RangeError(`Cannot draw "${plot.title}": no points`);
  const x = xPosition(plot), y = yAxis(series.flatMap(({ points }) => points.map(([, value]) => value)));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escape(plot.title)}</title>`,
    `<desc id="desc">${escape(`${plot.yLabel} over ${plot.xLabel}: ${series.map((s) => s.label).join(", ")}`)}</desc>`,
    style(),
    `<text class="title" x="${LEFT}" y="24">${escape(plot.title)}</text>`,
    ...y.ticks.map(({ at, label }) => yTick(at, label)),
    ...plot.xTicks.map(({ at, label }) => xTick(x(at), label)),
    `<path class="axis" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`,
    `<text x="${LEFT + INNER_WIDTH / 2}" y="${HEIGHT - 16}" text-anchor="middle">${escape(plot.xLabel)}</text>`,
    `<text transform="translate(18 ${TOP + INNER_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${
      escape(plot.yLabel)
    }</text>`,
    ...series.map((one) => curve(one, x, y.position)),
    ...series.map((one, i) => legendEntry(one, i)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function style(): string {
  const rules = (scheme: 0 | 1) =>
    Object.entries(COLOURS).map(([name, colours]) =>
      name === "text" ? `svg{color:${colours[scheme]}}` : `.${name}{color:${colours[scheme]}}`
    ).join("");
  return [
    "<style>",
    "text{font:13px system-ui,sans-serif;fill:currentColor}.title{font-size:15px;font-weight:600}",
    ".axis{fill:none;stroke:currentColor}.grid{stroke:currentColor;stroke-opacity:.15}",
    ".line{fill:none;stroke:currentColor;stroke-width:2}.dashed{stroke-dasharray:6 4}",
    ".mark{fill:currentColor;stroke:currentColor}.hollow{fill:none;stroke:currentColor;stroke-width:1.5}",
    rules(0),
    `@media (prefers-color-scheme:dark){${rules(1)}}`,
    "</style>",
  ].join("\n");
}

function xPosition({ xScale, xTicks, series }: Plot): (value: number) => number {
  const scale = (value: number) => xScale === "log" ? Math.log(value) : value;
  const all = [...xTicks.map(({ at }) => at), ...series.flatMap(({ points }) => points.map(([at]) => at))].map(scale);
  const least = Math.min(...all), most = Math.max(...all), span = most - least || 1;
  return (value) => LEFT + INNER_WIDTH * (SIDE + (1 - 2 * SIDE) * (scale(value) - least) / span);
}

interface YAxis {
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  position(value: number): number;
}

/** From a tick at or below the least value to one at or above the greatest; 1, 2 and 5 of a decade where it spans few. */
function yAxis(values: readonly number[]): YAxis {
  const least = Math.min(...values), most = Math.max(...values);
  const first = Math.floor(Math.log10(least)), last = Math.ceil(Math.log10(most));
  const steps = Math.log10(most / least) <= 2.5 ? [1, 2, 5] : [1];
  const all: { exponent: number; step: number; value: number }[] = [];
  for (let exponent = first - 1; exponent <= last + 1; exponent++) {
    for (const step of steps) all.push({ exponent, step, value: step * 10 ** exponent });
  }
  const from = all.findLastIndex(({ value }) => value <= least), to = all.findIndex(({ value }) => value >= most);
  const shown = all.slice(from, Math.max(to, from + 1) + 1);
  const low = Math.log10(shown[0].value), high = Math.log10(shown[shown.length - 1].value);
  const position = (value: number) => TOP + INNER_HEIGHT * (high - Math.log10(value)) / (high - low);
  return {
    position,
    ticks: shown.map(({ exponent, step, value }) => ({ at: position(value), label: tickLabel(step, exponent) })),
  };
}

/** 0.05, 200, 10 to the power of 7. */
function tickLabel(step: number, exponent: number): string {
  if (exponent >= -3 && exponent <= 4) return (step * 10 ** exponent).toFixed(Math.max(0, -exponent));
  return `${step === 1 ? "" : `${step}·`}10<tspan dy="-5" font-size="10">${exponent}</tspan>`;
}

function yTick(at: number, label: string): string {
  return `<path class="grid" d="M${LEFT} ${round(at)}H${WIDTH - RIGHT}"/>` +
    `<text x="${LEFT - 8}" y="${round(at + 4)}" text-anchor="end">${label}</text>`;
}

function xTick(at: number, label: string): string {
  return `<path class="axis" d="M${round(at)} ${HEIGHT - BOTTOM}v5"/>` +
    `<text x="${round(at)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${escape(label)}</text>`;
}

function curve({ points, colour, line, marker }: Series, x: (v: number) => number, y: (v: number) => number): string {
  const places = [...points].sort(([a], [b]) => a - b).map(([at, value]) => [x(at), y(value)] as const);
  const path = places.map(([px, py], i) => `${i === 0 ? "M" : "L"}${round(px)} ${round(py)}`).join("");
  const drawn = line === "none" ? "" : `<path class="line ${line}" d="${path}"/>`;
  return `<g class="${colour}">${drawn}${places.map(([px, py]) => mark(marker, px, py)).join("")}</g>`;
}

function mark(marker: Marker, x: number, y: number): string {
  const at = `${round(x)} ${round(y)}`;
  switch (marker) {
    case "circle":
      return `<circle class="mark" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`;
    case "square":
      return `<path class="hollow" d="M${at}m-6 -6h12v12h-12z"/>`;
    case "diamond":
      return `<path class="mark" d="M${at}m0 -5l5 5l-5 5l-5 -5z"/>`;
    case "triangle":
      return `<path class="mark" d="M${at}m0 -5l5 9h-10z"/>`;
    case "cross":
      return `<path class="hollow" d="M${at}m-4.5 -4.5l9 9m0 -9l-9 9"/>`;
  }
}

function legendEntry({ label, colour, line, marker }: Series, index: number): string {
  const x = WIDTH - RIGHT + 18, y = TOP + 12 + 22 * index;
  const drawn = line === "none" ? "" : `<path class="line ${line}" d="M${x} ${y}h28"/>`;
  return `<g class="${colour}">${drawn}${mark(marker, x + 14, y)}</g>` +
    `<text x="${x + 38}" y="${y + 4}">${escape(label)}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
