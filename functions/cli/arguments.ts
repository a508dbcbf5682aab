/** Options of a command line: one table reads them and makes the help. */
import { LipcertError } from "../../shared/errors.ts";

export interface Option {
  /** With its dashes. */
  readonly name: string;
  /** What stands after it; null for a switch. */
  readonly value: string | null;
  readonly help: string;
}

export interface Arguments {
  readonly positional: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  has(name: string): boolean;
}

/**
 * Reads arguments: `--name value`, `--name=value` and switches, in any order; what begins with no dashes is positional. A
 * value may begin with one dash (a negative number).
 *
 * Throws: `invalid-query` for an unknown option, one given twice, one without its value.
 */
export function readArguments(given: readonly string[], options: readonly Option[]): Arguments {
  const values = new Map<string, string>(), switches = new Set<string>(), positional: string[] = [];
  for (let a = 0; a < given.length; a++) {
    if (!given[a].startsWith("--")) {
      positional.push(given[a]);
      continue;
    }
    const [name, attached] = split(given[a]);
    const option = options.find((one) => one.name === name);
    if (option === undefined) throw misused(name, "the option is unknown", options);
    if (values.has(name) || switches.has(name)) throw misused(name, "the option is given twice", options);
    if (option.value === null) {
      if (attached !== undefined) throw misused(name, "the option takes no value", options);
      switches.add(name);
      continue;
    }
    const value = attached ?? given[++a];
    if (value === undefined || (attached === undefined && value.startsWith("--"))) {
      throw misused(name, `the option needs a value: ${option.value}`, options);
    }
    values.set(name, value);
  }
  return { positional, values, has: (name) => switches.has(name) };
}

function split(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function misused(name: string, message: string, options: readonly Option[]): LipcertError {
  return new LipcertError("invalid-query", `Cannot read command line: ${message}: ${name}`, {
    option: name,
    supported: options.map((one) => one.name),
  });
}

/** Throws: `invalid-query` unless there is one argument for each name. */
export function positionals({ positional }: Arguments, names: readonly string[]): readonly string[] {
  if (positional.length === names.length) return positional;
  throw new LipcertError(
    "invalid-query",
    `Cannot read command line: ${names.join(" and ")} needed, got ${positional.length} arguments; see --help`,
    { supported: names },
  );
}

/** The options as lines of the help. */
export function describeOptions(options: readonly Option[]): string {
  const left = options.map(({ name, value }) => `  ${name}${value === null ? "" : ` ${value}`}`);
  const width = Math.max(...left.map((text) => text.length));
  return options.map(({ help }, o) => `${left[o].padEnd(width)}  ${help}`).join("\n");
}
