/** The searches that are timed, and what each is asked to reach. */

export interface TimedSearch {
  readonly model: string;
  readonly test_index: number;
  readonly eps: number;
  /** Null: all of them; "largest": the one with the largest bound of one pass. */
  readonly output: number | "largest" | null;
  readonly goal: SearchGoal;
}

/** All seconds are scaled: those of the machine that targets are stated for. */
export type SearchGoal =
  /** Until it is exact; `within` is the target (null: watched, not aimed at). */
  | { readonly kind: "exact"; readonly within: number | null }
  | { readonly kind: "upper"; readonly after: number; readonly at_most: number }
  | { readonly kind: "gap"; readonly after: number }
  /** How much smaller the gap is than what lies between the bound of one pass and the largest value that another tool met. */
  | { readonly kind: "share"; readonly after: number; readonly met: number };

const EXACT: SearchGoal = { kind: "exact", within: null };

export const SEARCHES: readonly TimedSearch[] = [
  { model: "synthetic_mlp16", test_index: 3, eps: 0.1, output: null, goal: EXACT },
  { model: "diabetes_mlp", test_index: 3, eps: 0.05, output: null, goal: EXACT },
  { model: "synthetic_w32_d6", test_index: 3, eps: 0.05, output: null, goal: EXACT },
  { model: "synthetic_w32_d6", test_index: 5, eps: 0.05, output: null, goal: EXACT },
  { model: "mnist_mlp_20", test_index: 3, eps: 0.05, output: null, goal: EXACT },
  { model: "synthetic_mlp64", test_index: 3, eps: 0.05, output: null, goal: EXACT },
  { model: "mnist_mlp_256x3", test_index: 3, eps: 0.004, output: 6, goal: EXACT },
  { model: "diabetes_mlp", test_index: 3, eps: 0.2, output: null, goal: { kind: "gap", after: 20 } },
  {
    model: "mnist_mlp_256x3",
    test_index: 3,
    eps: 0.01,
    output: 6,
    goal: { kind: "upper", after: 60, at_most: 220 },
  },
  {
    model: "mnist_cnn_small",
    test_index: 3,
    eps: 0.01,
    output: "largest",
    goal: { kind: "share", after: 60, met: 80.09 },
  },
];
