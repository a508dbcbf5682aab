/** How operations and time grow with width, depth, channels, image and the number of undetermined neurons. */
import { createKernels } from "../../functions/kernels.ts";
import { convolutionalNetwork, randomNetwork } from "./growth.ts";
import { PeakSamples, scaled } from "./peak.ts";
import { type BoundedNetwork, openQuestion, type UpperBounds, upperBounds } from "./questions.ts";
import { figure, pair, percent, type Section } from "./report.ts";
import { fittedExponent, type Summary, summaryOf, timed } from "./statistics.ts";

/** One series: what grows, and the networks in order. */
interface Series {
  readonly title: string;
  readonly variable: string;
  readonly networks: readonly BoundedNetwork[];
  /** The number that grows. */
  readonly of: (network: BoundedNetwork, work: UpperBounds) => number;
}

interface Point {
  readonly x: number;
  readonly work: UpperBounds;
  readonly scaledMs: Summary;
}

export async function growthSections(samples: number): Promise<Section[]> {
  const sections: Section[] = [];
  for (const series of await allSeries()) sections.push(sectionOf(series, await measureSeries(series, samples)));
  return sections;
}

async function allSeries(): Promise<Series[]> {
  const depths = [2, 3, 4, 6, 8];
  const depthOf = ({ graph }: BoundedNetwork) => graph.nodes.filter(({ operator }) => operator === "relu").length;
  const byDepth = (width: number): Series => ({
    title: `Depth at width ${width}`,
    variable: "hidden layers",
    networks: depths.map((depth) => randomNetwork(width, depth)),
    of: depthOf,
  });
  const radii = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032];
  return [
    {
      title: "Width at three hidden layers",
      variable: "width",
      networks: [16, 32, 64, 128, 256, 512].map((width) => randomNetwork(width, 3)),
      of: ({ graph }) => graph.nodes[0].size,
    },
    byDepth(32),
    byDepth(64),
    {
      title: "Channels of three convolutions on 3x16x16",
      variable: "channels",
      networks: [4, 8, 16, 32].map((channels) => convolutionalNetwork(channels, 16)),
      of: ({ graph }) => graph.nodes[1].size / (16 * 16),
    },
    {
      title: "Side of the image under three convolutions of 8 channels",
      variable: "side",
      networks: [8, 12, 16, 24, 32].map((side) => convolutionalNetwork(8, side)),
      of: ({ graph }) => Math.sqrt(graph.nodes[0].size / 3),
    },
    {
      title: "Undetermined neurons of mnist_mlp_256x3 as the radius grows",
      variable: "undetermined",
      networks: await Promise.all(radii.map((eps) => openQuestion("mnist_mlp_256x3", eps))),
      of: (_, { unstable }) => unstable,
    },
  ];
}

/** At most `samples` rounds, each network once a round; a large network ends its series' rounds at about 3 s. */
async function measureSeries({ networks, of }: Series, samples: number): Promise<Point[]> {
  const kernels = createKernels(2 ** 31), peak = new PeakSamples();
  const times: number[][] = networks.map(() => []);
  const works: UpperBounds[] = [];
  for (const network of networks) works.push(await upperBounds(network, kernels));
  const started = performance.now();
  for (let round = 0; round < samples && (round < 5 || performance.now() - started < 6000); round++) {
    peak.take();
    for (const [n, network] of networks.entries()) times[n].push((await timed(() => upperBounds(network, kernels))).ms);
  }
  return networks.map((network, n) => {
    const { median, best, samples } = summaryOf(times[n]);
    const scaledMs = { median: scaled(median, peak.median), best: scaled(best, peak.best), samples };
    return { x: of(network, works[n]), work: works[n], scaledMs };
  });
}

function sectionOf({ title, variable }: Series, points: readonly Point[]): Section {
  const operations = points.map(({ x, work }) => [x, work.flops] as const);
  const times = points.map(({ x, scaledMs }) => [x, scaledMs.median] as const);
  const exponents = {
    flops: fittedExponent(operations),
    time: fittedExponent(times),
    flops_last: fittedExponent(operations.slice(-2)),
    time_last: fittedExponent(times.slice(-2)),
  };
  return {
    title,
    columns: [variable, "of neurons undetermined", "rows", "GFLOP", "scaled ms median / best", "GFLOP/s scaled"],
    rows: points.map(({ x, work, scaledMs }) => [
      String(x),
      percent(work.unstable / work.neurons),
      String(work.rows),
      figure(work.flops / 1e9),
      pair(scaledMs),
      figure(work.flops / (scaledMs.median * 1e6)),
    ]),
    notes: [
      `Fitted exponents of ${variable}: operations ${figure(exponents.flops)}, time ${figure(exponents.time)}; ` +
      `between the last two points ${figure(exponents.flops_last)} and ${figure(exponents.time_last)}.`,
    ],
    figures: { exponents, points: points.map(({ x, work, scaledMs }) => ({ x, ...work, scaled_ms: scaledMs })) },
  };
}
