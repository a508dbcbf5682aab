/** What is kept of a network's questions: one JSON file a network, from which tables and curves are drawn. */
import type { Machine } from "../bench/machine.ts";
import { type Answer, COUNTERPART, type Method } from "./answers.ts";
import { bestPeer, epsText, isRunOf, type StoredCase } from "./stored.ts";

/** A stored run of another tool, over the outputs that were asked for. */
export interface PeerRecord {
  readonly key: string;
  readonly uppers: readonly (number | null)[];
  /** Over all the outputs that it computed. */
  readonly seconds: number | null;
  readonly outputs: number;
  readonly residentMb: number | null;
  readonly error: string | null;
}

/** Arrays are over the outputs asked for. */
export interface CaseRecord {
  readonly testIndex: number;
  readonly eps: number;
  readonly epsText: string;
  readonly outputs: readonly number[];
  readonly outputCount: number;
  readonly exact: readonly number[] | null;
  readonly sampled: readonly number[] | null;
  /** The best stored bound by method of the peers. */
  readonly best: Readonly<Record<string, readonly (number | null)[]>>;
  readonly peers: readonly PeerRecord[];
  readonly answers: readonly Answer[];
}

export interface ModelRecord {
  readonly name: string;
  readonly date: string;
  readonly machine: Machine;
  readonly limitSeconds: number;
  /** Why the model was not read. */
  readonly refused: string | null;
  readonly cases: readonly CaseRecord[];
}

export function caseRecord(one: StoredCase, outputs: readonly number[], answers: readonly Answer[]): CaseRecord {
  const counterparts = Object.values(COUNTERPART).filter((name) => name !== null);
  const exact = one.exact?.complete ? one.exact.per_output : undefined, sampled = one.sampled_lower?.per_output;
  const of = (values: readonly number[] | undefined) => values === undefined ? null : outputs.map((k) => values[k]);
  return {
    testIndex: one.test_index,
    eps: one.eps,
    epsText: epsText(one),
    outputs,
    outputCount: one.output_at_input.length,
    exact: of(exact),
    sampled: of(sampled),
    best: Object.fromEntries(counterparts.map((name) => [name, outputs.map((k) => bestPeer(one, name, k))])),
    peers: Object.entries(one.results).map(([key, { per_output, error }]) => ({
      key,
      uppers: outputs.map((k) => per_output?.[k] ?? null),
      seconds: one.peer_runs?.[key]?.s ?? one.timing_s?.[key] ?? null,
      outputs: one.peer_runs?.[key]?.outputs ?? (per_output ?? []).filter((value) => value !== null).length,
      residentMb: one.peer_runs?.[key]?.peak_rss_mb ?? null,
      error: error ?? null,
    })).filter(({ key }) => counterparts.some((name) => isRunOf(key, name))),
    answers,
  };
}

/** The same case, as if only those outputs had been asked for. */
export function restrictedTo(one: CaseRecord, outputs: readonly number[]): CaseRecord {
  const places = outputs.map((k) => one.outputs.indexOf(k));
  const of = <T>(values: readonly T[]) => places.map((at) => values[at]);
  return {
    ...one,
    outputs,
    exact: one.exact && of(one.exact),
    sampled: one.sampled && of(one.sampled),
    best: Object.fromEntries(Object.entries(one.best).map(([name, values]) => [name, of(values)])),
    peers: one.peers.map((peer) => ({ ...peer, uppers: of(peer.uppers) })),
    answers: one.answers.map((answer) =>
      answer.status === "done"
        ? { ...answer, uppers: of(answer.uppers), lowers: answer.lowers && of(answer.lowers) }
        : answer
    ),
  };
}

/** What a bound may exceed the best stored one by, relatively; what the stored values may have lost to their own rounding. */
export const RELATIVE = 1e-4, STATED = 1e-9;

export interface Judgement {
  /** The largest of upper_k / (best stored bound of the peers' counterpart at k); null where none is stored. */
  readonly ratio: number | null;
  readonly isLooser: boolean;
  /** Bounds that cannot be true. */
  readonly mistakes: readonly string[];
}

/** Compares an answer with what is known of its case, output by output. */
export function judge(one: CaseRecord, answer: Answer): Judgement {
  if (answer.status !== "done") {
    return { ratio: null, isLooser: false, mistakes: answer.status === "failed" ? [answer.detail] : [] };
  }
  const counterpart = COUNTERPART[answer.method];
  const ratios: number[] = [], mistakes: string[] = [];
  answer.uppers.forEach((bound, i) => {
    const upper = bound ?? Infinity, lower = answer.lowers?.[i] ?? 0, at = `output ${one.outputs[i]}`;
    const peer = counterpart === null ? null : one.best[counterpart][i];
    if (peer !== null) ratios.push(upper === peer ? 1 : upper / peer);
    const known = { exact: one.exact?.[i], sampled: one.sampled?.[i] };
    for (const [name, value] of Object.entries(known)) {
      if (value === undefined || upper >= value * (1 - STATED)) continue;
      mistakes.push(`${at}: upper ${upper} below the ${name} ${value}`);
    }
    if (known.exact !== undefined && lower > known.exact * (1 + STATED)) {
      mistakes.push(`${at}: lower ${lower} above the exact ${known.exact}`);
    }
    if (lower > upper) mistakes.push(`${at}: lower ${lower} above upper ${upper}`);
  });
  const ratio = ratios.length === 0 ? null : Math.max(...ratios);
  return { ratio, isLooser: ratio !== null && ratio > 1 + RELATIVE, mistakes };
}

/** Largest upper bound over the outputs asked; null where one overflowed or the question was not answered. */
export function upperOf(answer: Answer | undefined): number | null {
  if (answer?.status !== "done") return null;
  return maxOrNull(answer.uppers);
}

export function lowerOf(answer: Answer | undefined): number | null {
  return answer?.status === "done" && answer.lowers !== null ? maxOrNull(answer.lowers) : null;
}

/** The largest; null if one is null or there is none. */
export function maxOrNull(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length > 0 && numbers.length === values.length ? Math.max(...numbers) : null;
}

export function answerTo(one: CaseRecord, method: Method): Answer | undefined {
  return one.answers.find((answer) => answer.method === method);
}
