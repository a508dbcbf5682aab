import assert from "node:assert/strict";
import { type Plot, plotSvg } from "./plot.ts";

const PLOT: Plot = {
  ...{ title: "a < b", xLabel: "width", yLabel: "constant", xScale: "log" },
  xTicks: [{ at: 16, label: "16" }, { at: 64, label: "64" }],
  series: [
    { label: "linear", colour: "blue", marker: "circle", line: "solid", points: [[64, 1000], [16, 10], [32, 0]] },
    { label: "empty", colour: "grey", marker: "cross", line: "none", points: [] },
  ],
};

/** Centres of the circles that stand in the plot, left to right. */
function circles(svg: string): number[][] {
  const marks = [...svg.matchAll(/<circle class="mark" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [+x, +y]);
  return marks.slice(0, -1); // the last one stands in the legend
}

Deno.test("plotSvg() draws a point higher by the logarithm of its value and leaves out what has none", () => {
  const [left, right, ...more] = circles(plotSvg(PLOT));
  assert.equal(more.length, 0);
  assert.ok(left[0] < right[0] && left[1] > right[1]);
  const values = [[16, 10], [64, 1000], [32, 100]] as const;
  const [first, middle, last] = circles(plotSvg({ ...PLOT, series: [{ ...PLOT.series[0], points: values }] }));
  assert.ok(Math.abs(first[1] + last[1] - 2 * middle[1]) <= 0.2 && Math.abs(first[0] + last[0] - 2 * middle[0]) <= 0.2);
});

Deno.test("plotSvg() names title, axes and series, escapes text, and has colours for light and dark ground", () => {
  const svg = plotSvg(PLOT);
  for (const text of ["a &lt; b", ">width<", ">constant<", ">linear<", "prefers-color-scheme:dark", "currentColor"]) {
    assert.ok(svg.includes(text), text);
  }
  assert.ok(!svg.includes("a < b") && !svg.includes(">empty<"));
});

Deno.test("plotSvg() refuses a plot without points", () => {
  assert.throws(() => plotSvg({ ...PLOT, series: [PLOT.series[1]] }), RangeError);
});
