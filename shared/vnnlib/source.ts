/** Problems of a property file: each names its place as an editor shows it. */
import { LipcertError } from "../errors.ts";

/** What a property file may hold: named wherever something else is met. */
export const SUPPORTED_FORMS = [
  "(declare-const X_i Real)",
  "(declare-const Y_j Real)",
  "(assert f)",
  "(and f ...)",
  "(or f ...)",
  "(<= t t)",
  "(>= t t)",
  "(+ t ...)",
  "(- t ...)",
  "(* number t)",
  "decimal numbers",
] as const;

/** A text that is no list of forms. Throws nothing: the caller throws what it returns. */
export function malformed(text: string, at: number, message: string): LipcertError {
  const place = placeAt(text, at);
  return new LipcertError("malformed-body", `Cannot read property: ${message} at ${describe(place)}`, { ...place });
}

/** A form that is read well and is not one of those that are supported. */
export function unsupported(text: string, at: number, message: string): LipcertError {
  const place = placeAt(text, at);
  return new LipcertError("invalid-query", `Cannot read property: ${message} at ${describe(place)}`, {
    ...place,
    supported: SUPPORTED_FORMS,
  });
}

/** A property that is well formed and says something that cannot be answered. */
export function meaningless(message: string): LipcertError {
  return new LipcertError("invalid-query", `Cannot read property: ${message}`, { supported: SUPPORTED_FORMS });
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Lines and columns from 1; a column counts UTF-16 units. */
function placeAt(text: string, at: number): Place {
  let line = 1, start = 0;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", start)) {
    line++;
    start = next + 1;
  }
  return { line, column: at - start + 1 };
}

function describe({ line, column }: Place): string {
  return `line ${line}, column ${column}`;
}

const LONGEST = 40;

/** The beginning of a word, in quotes and with its control characters escaped. */
export function quoted(word: string): string {
  return JSON.stringify(word.length <= LONGEST ? word : `${word.slice(0, LONGEST)}…`);
}
