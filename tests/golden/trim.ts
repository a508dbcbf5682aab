/**
 * Copies the cases that `agreement_test.ts` compares out of a folder of reference results, without what it does not read.
 *
 * Run: deno run --allow-read --allow-write tests/golden/trim.ts REFERENCE [NAME,NAME] (a folder with lipschitz/, outputs/,
 * monotone/, bab/, or some of them; only the models named, or all). The models are copied beside by hand. Provenance of the
 * numbers: README.md in this folder.
 */
const KINDS = ["lipschitz", "outputs", "monotone", "bab"] as const;
/** Results of other activations, precisions and optimised slopes have no counterpart to compare with. */
const SKIPPED_MODELS: Record<typeof KINDS[number], RegExp> = {
  lipschitz: /tanh/,
  outputs: /tanh/,
  monotone: /tanh/,
  bab: /tanh/,
};
const KEPT_RESULTS: Record<typeof KINDS[number], RegExp> = {
  lipschitz: /^(ibp|recurjac|recurjac_orig|bp)@.*\/f64$/,
  outputs: /^(IBP|CROWN-IBP|CROWN)\/f64$/,
  monotone: /^(ibp|bp)@.*\/f64$/,
  // Not read: its results are by output.
  bab: /^$/,
};

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null;
type Members = { readonly [key: string]: Json };

function members(value: Json | undefined): Members {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TypeError("an object was expected");
  }
  return value as Members;
}

function pick(value: Json | undefined, keys: readonly string[]): Members {
  const from = members(value);
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]!]));
}

function matching(value: Json | undefined, kept: RegExp): Members {
  return Object.fromEntries(Object.entries(members(value)).filter(([key]) => kept.test(key)));
}

function trimCase(kind: typeof KINDS[number], source: Members): Members {
  const results = kind === "bab" ? {} : matching(source.results, KEPT_RESULTS[kind]);
  switch (kind) {
    case "lipschitz":
      return {
        ...pick(source, ["test_index", "eps", "input"]),
        results,
        exact: source.exact ? pick(source.exact, ["per_output", "max", "complete"]) : null,
        sampled_lower: source.sampled_lower ? pick(source.sampled_lower, ["per_output", "max"]) : null,
      };
    case "outputs": {
      const margins = source.margins ? members(source.margins) : null;
      return {
        ...pick(source, ["test_index", "eps", "input"]),
        results,
        sampled_range: pick(source.sampled_range, ["min", "max"]),
        // A network of one output has no margins.
        margins: margins === null ? null : {
          ...pick(margins, ["label", "others", "attack_min"]),
          results: matching(margins.results, KEPT_RESULTS[kind]),
          verdicts: matching(margins.verdicts, KEPT_RESULTS[kind]),
        },
      };
    }
    case "monotone":
      return {
        ...pick(source, ["test_index", "feature", "mode", "eps_other_features", "lower", "upper"]),
        results,
        sampled: source.sampled ?? null,
        exact: source.exact ? pick(source.exact, ["min", "max", "verdict"]) : null,
      };
    case "bab":
      return {
        ...pick(source, ["test_index", "eps", "dtype", "input"]),
        outputs: Object.fromEntries(
          Object.entries(members(source.outputs)).map(([output, row]) =>
            [output, pick(row, ["root", "final", "subproblems", "stop", "exact"])] as const
          ),
        ),
      };
  }
}

/** One case a line, so that a change shows in a diff. */
function write(head: Members, cases: readonly Members[]): string {
  const text = JSON.stringify(head).slice(0, -1);
  return `${text},"cases":[\n${cases.map((c) => JSON.stringify(c)).join(",\n")}\n]}\n`;
}

/** The entries of a folder; none where it does not exist. */
async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

if (import.meta.main) {
  const [reference, chosen] = Deno.args;
  if (reference === undefined) throw new RangeError("the folder of the reference results is missing");
  const isChosen = (name: string) => chosen === undefined || chosen.split(",").includes(name.replace(/\.json$/, ""));
  for (const kind of KINDS) {
    const target = new URL(`./${kind}/`, import.meta.url);
    await Deno.mkdir(target, { recursive: true });
    for (const { name } of await entriesOf(`${reference}/${kind}`)) {
      if (SKIPPED_MODELS[kind].test(name) || !isChosen(name)) continue;
      const source = members(JSON.parse(await Deno.readTextFile(`${reference}/${kind}/${name}`)));
      const cases = source.cases as readonly Json[];
      const head = pick(source, ["quantity", "box", "output", "source", "sources", "method", "peer_note"]);
      await Deno.writeTextFile(new URL(name, target), write(head, cases.map((c) => trimCase(kind, members(c)))));
    }
  }
}
