/** A certificate in plain words. Bounds are printed with all their digits: a rounded one could be false. */
import type { Certificate, Finding } from "../../shared/mod.ts";

type Line = readonly [name: string, text: string];
type FindingOf<T extends Finding["type"]> = Extract<Finding, { type: T }>;

/** Numbers of a point that are shown. */
const SHOWN = 8;

export function summaryOf(certificate: Certificate): string {
  const { query, finding, arithmetic, work, id } = certificate;
  const { lines, table } = describe(finding);
  const all: Line[] = [
    ["asked", questionText(certificate)],
    ["box", boxText(query.region)],
    ["verdict", verdictText(certificate)],
    ...lines,
    ["method", `relaxation ${query.options.relaxation}, preactivation bounds ${query.options.preactivation}`],
    ...searchLines(certificate),
    ["arithmetic", `${arithmetic.kind}: encloses ${arithmetic.encloses}`],
    ["work", `${work.rows} rows, ${work.gflop} GFLOP`],
    ["certificate", id],
  ];
  const width = Math.max(...all.map(([name]) => name.length));
  const text = all.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
  return `${text}\n${table.length === 0 ? "" : `\n${tableText(table)}\n`}`;
}

const ENDS = {
  closed: "nothing left could change the answer",
  gap: "the gap was reached",
  max_nodes: "the nodes were used up",
  record: "the record was full",
  time: "the time was over",
  canceled: "it was interrupted",
  memory: "the memory was used up",
} as const;

function searchLines({ method: { search }, reproducible }: Certificate): Line[] {
  const { nodes, open, stopped_by } = search;
  if (stopped_by === "none") return [];
  const again = reproducible ? "" : "; not reproducible";
  return [["search", `${nodes} nodes, ${open} left open: ${ENDS[stopped_by]}${again}`]];
}

function questionText({ query: { property, output } }: Certificate): string {
  if (property.type !== "radius") return plainText(property, output);
  return `up to which radius (at most ${property.max}) around the center: ${plainText(property.of, output)}`;
}

type Plain = Exclude<Certificate["query"]["property"], { type: "radius" }>;

function plainText(property: Plain, output: string): string {
  const of = `of output "${output}"`;
  switch (property.type) {
    case "lipschitz": {
      const claim = property.at_most === undefined ? "" : `: at most ${property.at_most}?`;
      return `the local Lipschitz constant (l_inf to l_inf) ${of}${claim}`;
    }
    case "jacobian_bounds":
      return `bounds of the Clarke Jacobian's entries ${of}`;
    case "output_bounds":
      return `bounds of the values ${of}`;
    case "robustness":
      return `is label ${property.label} the largest value ${of} in the whole box?`;
    case "monotonicity": {
      const way = property.direction ?? "increasing or decreasing";
      return `is value ${property.output} ${of} ${way} in each of ${property.features.length} inputs?`;
    }
  }
}

function boxText({ lower, upper }: Certificate["query"]["region"]): string {
  const widths = lower.map((l, i) => upper[i] - l);
  return `${lower.length} inputs, widths ${range(widths)}, between ${least(lower)} and ${largest(upper)}`;
}

// Not Math.min(...values): an image has more inputs than a call takes arguments.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

function range(values: readonly number[]): string {
  const [from, to] = [least(values), largest(values)];
  return from === to ? `${from}` : `${from} to ${to}`;
}

function verdictText({ verdict, reason }: Certificate): string {
  if (reason === "overflow") return `${verdict}: a bound overflowed`;
  return reason === "bounds-too-loose" ? `${verdict}: the bounds are too loose to tell` : verdict;
}

interface Described {
  readonly lines: readonly Line[];
  /** Its first row holds the titles. */
  readonly table: readonly (readonly string[])[];
}

function describe(finding: Finding): Described {
  switch (finding.type) {
    case "lipschitz":
      return lipschitz(finding);
    case "jacobian_bounds":
      return jacobian(finding);
    case "output_bounds":
      return outputs(finding);
    case "robustness":
      return robustness(finding);
    case "monotonicity":
      return monotonicity(finding);
    case "radius":
      return radius(finding);
  }
}

function lipschitz({ upper, lower, gap, exact, outputs, witness }: FindingOf<"lipschitz">): Described {
  const gapText = gap === null ? "not known" : exact ? `${gap} (exact)` : `${gap} of the upper bound`;
  return {
    lines: [
      ["upper", `${bound(upper)}, for the whole box`],
      ["lower", `${lower}, proved at the witness`],
      ["gap", gapText],
      ["witness", `output ${target(witness)} at ${pointText(witness.point)}`],
    ],
    table: [["output", "upper", "lower"], ...outputs.map((one) => [target(one), bound(one.upper), `${one.lower}`])],
  };
}

function jacobian({ outputs }: FindingOf<"jacobian_bounds">): Described {
  const rows = outputs.flatMap((one) =>
    one.lower.map((l, i) => [target(one), `${i}`, bound(l), bound(one.upper[i])] as const)
  );
  return { lines: [], table: [["output", "input", "lower", "upper"], ...rows] };
}

function outputs({ lower, upper }: FindingOf<"output_bounds">): Described {
  return {
    lines: [],
    table: [["output", "lower", "upper"], ...lower.map((l, k) => [`${k}`, bound(l), bound(upper[k])])],
  };
}

function robustness({ label, margins, counterexample }: FindingOf<"robustness">): Described {
  const found: Line[] = counterexample === null
    ? []
    : [["witness", `another label is proved at ${pointText(counterexample)}`]];
  return {
    lines: [["label", `${label}`], ...found],
    table: [["against", "margin at least"], ...margins.map(({ output, lower }) => [`${output}`, bound(lower)])],
  };
}

function monotonicity({ features }: FindingOf<"monotonicity">): Described {
  return {
    lines: [],
    table: [
      ["input", "direction", "derivative at least", "at most", "proved signs"],
      ...features.map((
        one,
      ) => [`${one.feature}`, one.direction, bound(one.lower), bound(one.upper), `${one.witnesses.length}`]),
    ],
  };
}

const STOPS = {
  gap: "as near as was asked",
  unknown: "in between the bounds are too loose to tell",
  steps: "no more were allowed",
  time: ENDS.time,
  canceled: ENDS.canceled,
};

function radius({ certified, refuted, gap, witness, steps, stopped_by }: FindingOf<"radius">): Described {
  const where = witness?.points.map(pointText).join(" and ");
  return {
    lines: [
      ["certified", certified === null ? "at no radius" : `${certified}: it holds at every radius up to here`],
      ["refuted", refuted === null ? "at no radius" : `${refuted}: it fails at every radius from here on`],
      ["gap", gap === null ? "not known" : `${gap} of the refuted radius`],
      ["steps", `${steps}; ${STOPS[stopped_by]}`],
      ...(witness ? [["witness", `${namedIn(witness)}${where}`] as const] : []),
    ],
    table: [],
  };
}

function namedIn(witness: object): string {
  const named = (["output", "row", "feature"] as const).find((name) => name in witness);
  return named === undefined ? "" : `${named} ${(witness as Record<string, unknown>)[named]} at `;
}

function bound(value: number | null): string {
  return value === null ? "overflow" : `${value}`;
}

function target(one: { readonly output: number } | { readonly row: number }): string {
  return "output" in one ? `${one.output}` : `row ${one.row}`;
}

function pointText(point: readonly number[]): string {
  const rest = point.length > SHOWN ? `, … ${point.length - SHOWN} more` : "";
  return `[${point.slice(0, SHOWN).join(", ")}${rest}]`;
}

function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => rows.reduce((width, row) => Math.max(width, row[c].length), 0));
  return rows.map((row) => row.map((cell, c) => cell.padEnd(widths[c])).join("  ").trimEnd()).join("\n");
}
