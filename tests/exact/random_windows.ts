/** Random geometry and numbers of small convolutions: what a reader might meet, and what it hardly would. */
import type { Grid, Windows } from "../../shared/graph.ts";
import type { Random } from "./random.ts";

/** Most values of a node: exact arithmetic and dense twins stay quick. */
export const MOST_VALUES = 180;

export const SCALES = ["plain", "wide", "extreme", "dead", "duplicated", "cancelling", "dyadic"] as const;
export type Scale = typeof SCALES[number];

/** What a geometry is to show, beside what it shows by chance. */
export type Emphasis = "strided" | "padded" | "dilated" | "grouped" | "depthwise" | null;

export function positions({ height, width }: Grid): number {
  return height * width;
}

export function valuesOf(grid: Grid, batch: number): number {
  return batch * grid.channels * positions(grid);
}

interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  /** Extent of the grid that is drawn. */
  readonly extent: number;
}

/** An axis of one position stays one. */
const FLAT: Axis = { kernel: 1, stride: 1, dilation: 1, begin: 0, extent: 1 };

/** Windows from a fine grid to a coarse one that is drawn, or back from a coarse grid when `transposed`. */
export function randomWindows(
  random: Random,
  from: Grid,
  batch: number,
  transposed: boolean,
  emphasis: Emphasis,
): Windows {
  const draw = transposed ? fineAxis : coarseAxis;
  const vertical = from.height === 1 && random.chance(0.9) ? FLAT : draw(random, from.height, emphasis);
  const horizontal = draw(random, from.width, emphasis);
  const shared = commonDivisors(from.channels, 4);
  const groups = emphasis === "depthwise"
    ? from.channels
    : emphasis === "grouped"
    ? shared.at(-1)!
    : random.chance(0.2)
    ? random.pick(shared)
    : 1;
  const room = Math.floor(MOST_VALUES / (batch * vertical.extent * horizontal.extent));
  const most = Math.max(1, Math.floor(Math.min(room, emphasis === "depthwise" ? 2 * groups : 5) / groups));
  const drawn = { channels: groups * random.integer(1, most), height: vertical.extent, width: horizontal.extent };
  return {
    batch,
    groups,
    coarse: transposed ? from : drawn,
    fine: transposed ? drawn : from,
    kernel: [vertical.kernel, horizontal.kernel],
    stride: [vertical.stride, horizontal.stride],
    dilation: [vertical.dilation, horizontal.dilation],
    begin: [vertical.begin, horizontal.begin],
  };
}

/** Windows of stride 1 that keep the grid: 3 by 3 (1 by 3 on a flat one) with its border of padding, or 1 by 1. */
export function keepingWindows(grid: Grid, batch: number, extent: 1 | 3): Windows {
  const kernel = [grid.height === 1 ? 1 : extent, extent] as const;
  const begin = [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] as const;
  return { batch, groups: 1, coarse: grid, fine: grid, kernel, stride: [1, 1], dilation: [1, 1], begin };
}

function randomSteps(random: Random, emphasis: Emphasis) {
  const kernel = random.integer(1, 3);
  const stride = emphasis === "strided" ? random.integer(2, 3) : random.pick([1, 1, 1, 2]);
  const dilation = emphasis === "dilated" ? random.integer(2, 3) : random.pick([1, 1, 1, 2]);
  const span = dilation * (kernel - 1) + 1;
  // Padding may exceed the window: some positions then see nothing but padding.
  const most = emphasis === "padded" ? span + 2 : span - 1;
  return { kernel, stride, dilation, span, begin: random.integer(0, most), end: random.integer(0, most) };
}

function coarseAxis(random: Random, fine: number, emphasis: Emphasis): Axis {
  const { span, end, ...steps } = randomSteps(random, emphasis);
  const room = Math.max(0, fine + steps.begin + end - span);
  return { ...steps, extent: Math.min(Math.floor(room / steps.stride) + 1, fine + 3) };
}

function fineAxis(random: Random, coarse: number, emphasis: Emphasis): Axis {
  const { span, end, ...steps } = randomSteps(random, emphasis);
  const whole = (coarse - 1) * steps.stride + span - steps.begin - end + random.pick([0, 0, 1]);
  return { ...steps, extent: Math.min(Math.max(whole, 1), 2 * coarse + 2) };
}

function commonDivisors(channels: number, most: number): number[] {
  return [...Array(most).keys()].map((i) => i + 1).filter((d) => channels % d === 0);
}

/** The kernel of these windows, [coarse channels][fine channels / groups][taps]. */
export function randomKernel(random: Random, { coarse, fine, groups, kernel }: Windows, scale: Scale): Float64Array {
  const taps = kernel[0] * kernel[1], perGroup = fine.channels / groups, row = perGroup * taps;
  const spread = 1 / Math.sqrt(row);
  const weights = Float64Array.from({ length: coarse.channels * row }, () => weight(random, scale) * spread);
  if (scale === "dyadic") weights.forEach((_, i) => weights[i] = random.integer(-4, 4) / 4);
  const channel = (c: number) => weights.subarray(c * row, (c + 1) * row);
  for (let c = 0; c < coarse.channels; c++) {
    if (scale === "dead") {
      if (random.chance(0.25)) channel(c).fill(random.pick([0, -0]));
      for (let k = 0; k < row; k++) if (random.chance(0.2)) channel(c)[k] = random.pick([0, -0]);
    }
    if (c === 0) continue;
    if (scale === "duplicated" && random.chance(0.6)) {
      const sign = random.sign();
      channel(random.integer(0, c - 1)).forEach((w, k) => channel(c)[k] = sign * w);
    }
    if (scale === "cancelling" && c % 2 === 1) {
      const slip = random.chance(0.5) ? 0 : 2 ** random.integer(-52, -20);
      channel(c - 1).forEach((w, k) => channel(c)[k] = -w * (random.chance(0.5) ? 1 + slip : 1));
    }
  }
  if (scale === "cancelling") {
    // Neighbouring input channels, too, and large numbers between them.
    const large = 10 ** random.integer(0, 6);
    for (let at = 0; at + taps < weights.length; at += 2 * taps) {
      for (let k = at; k < at + taps; k++) weights[k + taps] = -(weights[k] *= large) * (1 + 2 ** -50);
    }
  }
  return weights;
}

export function weight(random: Random, scale: Scale): number {
  if (scale === "wide") return random.sign() * 10 ** random.between(-6, 6);
  if (scale === "extreme") return random.sign() * 10 ** random.between(-180, 80);
  if (scale === "dyadic") return random.integer(-4, 4) / 4;
  return random.normal();
}

/** A number for each value: one a channel as exporters write it, sometimes one a value (a folded shift), or none. */
export function randomBias(random: Random, grid: Grid, batch: number, scale: Scale): Float64Array | null {
  if (random.chance(0.15)) return null;
  const draw = () => {
    if (scale === "extreme") return random.sign() * 10 ** random.between(-300, 0);
    if (scale === "wide") return random.normal() * 10 ** random.between(-6, 6);
    if (scale === "dyadic") return random.integer(-4, 4) / 4;
    if (scale === "dead" && random.chance(0.25)) return random.pick([-1e4, 0, -0]);
    return 0.3 * random.normal();
  };
  if (random.chance(0.15)) return Float64Array.from({ length: valuesOf(grid, batch) }, draw);
  return overChannels(grid, batch, draw);
}

/** One draw a channel, spread over its positions and the batch. */
export function overChannels(grid: Grid, batch: number, draw: () => number): Float64Array {
  const channels = Array.from({ length: grid.channels }, draw);
  return Float64Array.from(
    { length: valuesOf(grid, batch) },
    (_, i) => channels[Math.floor(i / positions(grid)) % grid.channels],
  );
}
