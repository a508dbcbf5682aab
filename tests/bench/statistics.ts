/** What is said about repeated samples of one thing. */

export interface Summary {
  readonly median: number;
  readonly best: number;
  readonly samples: number;
}

/** Median and least of times. */
export function summaryOf(times: readonly number[]): Summary {
  if (times.length === 0) throw new RangeError("Cannot summarise: no samples");
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, best: sorted[0], samples: sorted.length };
}

/** The slope of log y over log x by least squares: the p of the nearest y = c x^p. */
export function fittedExponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (at: 0 | 1) => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let covariance = 0, variance = 0;
  for (const [x, y] of logs) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return covariance / variance;
}

/** Runs `body` and says how long it took, in milliseconds. */
export async function timed<T>(body: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const start = performance.now();
  const result = await body();
  return { result, ms: performance.now() - start };
}
