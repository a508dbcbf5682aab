/** S-expressions, bounded in depth and size: words and lists, `;` comments to the end of the line. */
import { malformed, quoted } from "./source.ts";

export interface Word {
  readonly kind: "word";
  readonly text: string;
  /** Where it begins: an index into the text. */
  readonly at: number;
}

export interface List {
  readonly kind: "list";
  readonly items: readonly Form[];
  readonly at: number;
}

export type Form = Word | List;

/** Lists inside one another. */
export const MAX_DEPTH = 100;

/** Words and lists of one top-level form. */
export const MAX_FORMS = 2 ** 20;

/** Characters of a word. */
export const MAX_WORD = 256;

interface OpenList {
  readonly items: Form[];
  readonly at: number;
}

/**
 * The forms of a text, one after the other.
 *
 * Throws: `malformed-body` with line and column for a parenthesis too many or too few, quotes and bars, a list deeper than
 * {@link MAX_DEPTH}, a form of more than {@link MAX_FORMS} parts, a word longer than {@link MAX_WORD}.
 */
export function* readForms(text: string): Generator<Form> {
  const open: OpenList[] = [];
  let parts = 0;
  for (let at = nextToken(text, 0); at < text.length;) {
    let end = at + 1;
    let form: Form | null = null;
    if (++parts > MAX_FORMS) throw malformed(text, at, `the form has more than ${MAX_FORMS} parts`);
    if (text[at] === "(") {
      if (open.length === MAX_DEPTH) throw malformed(text, at, `lists are nested deeper than ${MAX_DEPTH}`);
      open.push({ items: [], at });
    } else if (text[at] === ")") {
      const closed = open.pop();
      if (closed === undefined) throw malformed(text, at, '")" closes nothing');
      form = { kind: "list", ...closed };
    } else {
      end = endOfWord(text, at);
      form = { kind: "word", text: text.slice(at, end), at };
    }
    if (form !== null && open.length > 0) open[open.length - 1].items.push(form);
    else if (form !== null) {
      parts = 0;
      yield form;
    }
    at = nextToken(text, end);
  }
  const unclosed = open.pop();
  if (unclosed !== undefined) throw malformed(text, unclosed.at, '"(" is never closed: the list opened');
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

const SEMICOLON = 59, OPEN = 40, CLOSE = 41;

/** The index of the next character that is neither space nor comment, or the text's length. */
function nextToken(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === SEMICOLON) {
      const end = text.indexOf("\n", at);
      if (end < 0) return text.length;
      at = end + 1;
    } else if (isSpace(code)) at++;
    else break;
  }
  return at;
}

function endOfWord(text: string, from: number): number {
  let end = from;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (isSpace(code) || code === OPEN || code === CLOSE || code === SEMICOLON) break;
    if (code < 32 || code === 34 || code === 124) {
      throw malformed(text, end, `the character ${quoted(text[end])} is not part of a word or number`);
    }
    if (++end - from > MAX_WORD) throw malformed(text, from, `a word is longer than ${MAX_WORD} characters`);
  }
  return end;
}
