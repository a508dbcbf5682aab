/** AveragePool: a matrix of 0 and 1, then a division by how many positions each window counts. */
import { problemAt } from "../problem.ts";
import { checkedCount, count } from "../shapes.ts";
import { required, type Translator } from "../translator.ts";
import { spatialShape, tapsOf, TRIVIAL_AXIS, WINDOW_ATTRIBUTES, windowAttributes, windowAxes } from "../windows.ts";
import { divided } from "./reduction.ts";

export const averagePool: Translator = {
  operator: "AveragePool",
  notes: "1d and 2d; full windows only (ceil_mode 1 where it changes nothing), count_include_pad, dilations, auto_pad",
  attributes: [...WINDOW_ATTRIBUTES, "ceil_mode", "count_include_pad"],
  inputs: [1, 1],
  translate(node) {
    const { place, forward, attributes } = node;
    const view = required(node, 0);
    if (view.kind !== "view") throw problemAt(place, "AveragePool of a constant is not supported");
    const spatial = spatialShape(view.shape, place);
    const windows = windowAttributes(node, spatial.length, null);
    const axes = windowAxes(node, spatial, windows, attributes.integer("ceil_mode", 0) !== 0);
    const [rows, columns] = axes.length === 1 ? [TRIVIAL_AXIS, axes[0]] : axes;
    const planes = view.shape[0] * view.shape[1];
    const shape = [view.shape[0], view.shape[1], ...axes.map((axis) => axis.output)];
    const size = checkedCount(shape, place);
    for (const axis of axes) forward.spend(axis.output * Math.min(axis.kernel, axis.input), place);
    const rowTaps = tapsOf(rows, rows.output, rows.input), columnTaps = tapsOf(columns, columns.output, columns.input);
    const area = rows.output * columns.output, inputArea = count(spatial);
    const counted = new Float64Array(area);
    for (const r of rowTaps) for (const c of columnTaps) counted[r.coarse * columns.output + c.coarse]++;
    if (counted.includes(0)) throw problemAt(place, "a window lies in the padding alone");
    if (attributes.integer("count_include_pad", 0) !== 0) counted.fill(count(windows.kernel));
    const sum = forward.matrix(view.node, size, place, (add) => {
      for (let plane = 0; plane < planes; plane++) {
        for (const r of rowTaps) {
          for (const c of columnTaps) {
            const element = plane * inputArea + r.fine * columns.input + c.fine;
            const row = plane * area + r.coarse * columns.output + c.coarse;
            add(row, view.map === null ? element : view.map[element], 1);
          }
        }
      }
    });
    forward.spend(size, place);
    const counts = Float64Array.from({ length: size }, (_, i) => counted[i % area]);
    return [{ ...view, shape, node: divided(sum, counts, node), map: null }];
  },
};
