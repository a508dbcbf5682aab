import type { Work } from "../bounds/pass.ts";
import type { Precision } from "../kernels/packed.ts";
import type { Query } from "../query.ts";
import { ENGINE_VERSION } from "../version.ts";
import type { SearchRecord } from "./search_record.ts";
import { digestOfJson } from "./canonical.ts";
import { type Finding, isReproducible, type Outcome, type Reason, type SearchReport, type Verdict } from "./finding.ts";

/** The answer as it is stored and served (api.md): no time and no host inside, so the id is the same everywhere. */
export interface Certificate {
  readonly id: string;
  readonly question: string;
  readonly schema: "lipcert.certificate/1";
  readonly query: Query;
  readonly verdict: Verdict;
  readonly reason: Reason | null;
  readonly finding: Finding;
  readonly method: {
    readonly relaxation: string;
    readonly preactivation: string;
    readonly search: SearchReport;
  };
  readonly arithmetic: {
    /** What coefficients were in the end; sums, tables and images are f64 either way. */
    readonly kind: "f32-outward" | "f64-outward";
    readonly encloses: "the network over the real numbers";
    readonly assumes: readonly string[];
  };
  readonly engine: { readonly name: "lipcert"; readonly version: string };
  readonly work: { readonly gflop: number; readonly rows: number };
  /**
   * Whether the question alone decided the answer: then these are its bytes on every host that is let finish. A question
   * with a time limit has such an answer too where the search ended before.
   */
  readonly reproducible: boolean;
  /** Every part that the search bounded, where that was asked for. */
  readonly record?: SearchRecord;
}

/** Cache key and job id: the digest of everything that decides the answer. */
export function questionOf(query: Query): Promise<string> {
  return digestOfJson({ ...query, engine: ENGINE_VERSION });
}

/** The id a certificate must have: the digest of its canonical JSON without `id`. */
export function idOf(certificate: Omit<Certificate, "id">): Promise<string> {
  const { id: _, ...body } = certificate as Certificate;
  return digestOfJson(body);
}

/** An outcome with how it came about. */
export interface Answer {
  readonly outcome: Outcome;
  readonly precision: Precision;
  /** Of all that was computed, an answer that was redone included. */
  readonly work: Work;
}

/** The certificate of an answer; `question` is the query's digest. */
export async function issue(
  query: Query,
  { outcome, precision, work }: Answer,
  question: string,
): Promise<Certificate> {
  const search: SearchReport = outcome.search ?? { nodes: 0, open: 0, stopped_by: "none" };
  const body: Omit<Certificate, "id"> = {
    question,
    schema: "lipcert.certificate/1",
    query,
    verdict: outcome.verdict,
    reason: outcome.reason,
    finding: outcome.finding,
    method: {
      relaxation: query.options.relaxation,
      preactivation: query.options.preactivation,
      search,
    },
    arithmetic: { kind: `${precision}-outward`, encloses: "the network over the real numbers", assumes: [] },
    engine: { name: "lipcert", version: ENGINE_VERSION },
    work: { gflop: work.flops / 1e9, rows: work.rows },
    reproducible: isReproducible(search),
    ...(outcome.record && { record: outcome.record }),
  };
  return { id: await idOf(body), ...body };
}
