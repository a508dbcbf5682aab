/** What is asked of the engine about one network, and what came back: plain JSON between two processes and in files. */

export const METHODS = ["product", "interval", "recurjac", "linear"] as const;
export type Method = typeof METHODS[number];

/** The method of the peers that bounds the same thing in the same way; nobody stored a product. */
export const COUNTERPART: Readonly<Record<Method, string | null>> = {
  product: null,
  interval: "ibp",
  recurjac: "recurjac",
  linear: "bp",
};

export interface Box {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly outputs: readonly number[];
}

export interface Question {
  /** Index of the box. */
  readonly box: number;
  readonly method: Method;
}

/** What a process is told on its standard input. */
export interface Task {
  readonly file: string;
  readonly boxes: readonly Box[];
  readonly questions: readonly Question[];
  readonly limitSeconds: number;
  /** How often a question is asked; its time is the shortest. */
  readonly runs: number;
}

export interface Done {
  readonly status: "done";
  /** In the order of the outputs asked; a bound that overflowed is null. */
  readonly uppers: readonly (number | null)[];
  /** Proved at a point; null for the product, which looks at none. */
  readonly lowers: readonly number[] | null;
  readonly seconds: number;
  readonly gflop: number | null;
  /** The best that was measured in the process so far, in GFLOP/s. */
  readonly peakGflops: number;
  readonly kernelBytes: number | null;
  /** The most that was resident since the question began, the model and the runtime included; null without /proc. */
  readonly residentBytes: number | null;
}

/** refused: the model or the question is not for this engine; stopped: out of time; failed: a mistake of ours. */
export interface NotDone {
  readonly status: "refused" | "stopped" | "failed";
  readonly detail: string;
}

export type Answer = Question & (Done | NotDone);

/** One line of a process's standard output. */
export type Line = Answer | { readonly modelRefused: string } | { readonly opened: true };
