/** AveragePool: the sum over each window, channel by channel, then a division by how many positions it counts. */
import { problemAt } from "../problem.ts";
import { checkedCount, count } from "../shapes.ts";
import { required, type Translator } from "../translator.ts";
import {
  asPlane,
  spatialShape,
  tapsOf,
  WINDOW_ATTRIBUTES,
  windowAttributes,
  windowAxes,
  windowsOf,
} from "../windows.ts";
import { divided } from "./reduction.ts";

export const averagePool: Translator = {
  operator: "AveragePool",
  notes: "1d and 2d; full windows only (ceil_mode 1 where it changes nothing), count_include_pad, dilations, auto_pad",
  attributes: [...WINDOW_ATTRIBUTES, "ceil_mode", "count_include_pad"],
  inputs: [1, 1],
  translate(node) {
    const { place, forward, attributes } = node;
    const value = required(node, 0);
    if (value.kind !== "view") throw problemAt(place, "AveragePool of a constant is not supported");
    const spatial = spatialShape(value.shape, place);
    const windows = windowAttributes(node, spatial.length, null);
    const axes = windowAxes(node, spatial, windows, attributes.integer("ceil_mode", 0) !== 0);
    const [rows, columns] = asPlane(axes);
    const [batch, channels] = value.shape;
    const shape = [batch, channels, ...axes.map((axis) => axis.output)];
    const size = checkedCount(shape, place);
    for (const axis of axes) forward.spend(axis.output * Math.min(axis.kernel, axis.input), place);
    const rowTaps = tapsOf(rows, rows.output, rows.input), columnTaps = tapsOf(columns, columns.output, columns.input);
    const area = rows.output * columns.output;
    const counted = new Float64Array(area);
    for (const r of rowTaps) for (const c of columnTaps) counted[r.coarse * columns.output + c.coarse]++;
    if (counted.includes(0)) throw problemAt(place, "a window lies in the padding alone");
    if (attributes.integer("count_include_pad", 0) !== 0) counted.fill(count(windows.kernel));
    const entries = channels * count(windows.kernel);
    forward.spend(entries, place);
    const kernel = new Float64Array(entries).fill(1);
    const view = forward.materialize(value, place);
    const each = windowsOf(axes, false, { batch, groups: channels, coarse: channels, fine: channels });
    const sum = forward.convolution(view.node, kernel, each, false, null, place);
    forward.spend(size, place);
    const counts = Float64Array.from({ length: size }, (_, i) => counted[i % area]);
    return [{ ...view, shape, node: divided(sum, counts, node), map: null }];
  },
};
