/** What the bench prints: sections of Markdown, each with the raw figures behind it. */

export interface Section {
  readonly title: string;
  /** Where README.md keeps the table: between `<!-- name -->` and `<!-- /name -->`. */
  readonly kept?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences under the table. */
  readonly notes: readonly string[];
  /** The same in numbers, for `--json`. */
  readonly figures: unknown;
}

export function markdownOf(section: Section): string {
  const table = section.columns.length === 0 ? [] : [tableOf(section), ""];
  return [`## ${section.title}`, "", ...table, ...section.notes.flatMap((note) => [note, ""])].join("\n");
}

function tableOf({ columns, rows }: Section): string {
  const widths = columns.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join(" | ")} |`;
  const rule = widths.map((width, c) => (c === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(columns), line(rule), ...rows.map(line)].join("\n");
}

/** The text with the section's table in its place; as it is where the section has none. Throws where the place is missing. */
export function withTable(text: string, section: Section, said: string): string {
  if (section.kept === undefined) return text;
  const open = `<!-- ${section.kept} -->`, close = `<!-- /${section.kept} -->`;
  const from = text.indexOf(open), to = text.indexOf(close);
  if (from < 0 || to < from) throw new RangeError(`Cannot keep a table: ${open} ... ${close} is missing`);
  const notes = [...section.notes, said].join(" ");
  return `${text.slice(0, from)}${open}\n\n${tableOf(section)}\n\n${notes}\n\n${text.slice(to)}`;
}

/** Three significant digits, never in exponents for what a bench meets. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** "12.3 / 11.9": median and best. */
export function pair({ median, best }: { readonly median: number; readonly best: number }): string {
  return `${figure(median)} / ${figure(best)}`;
}

export function againstTarget(value: number, target: number): string {
  return `${figure(target)} (${value <= target ? "met" : "MISSED"})`;
}
