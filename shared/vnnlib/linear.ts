/** Linear terms over the inputs X_i and the outputs Y_j, their coefficients exact. */
import { add, type Decimal, decimalOf, multiply, negate, ONE, ZERO } from "./decimal.ts";
import type { Form, List, Word } from "./reader.ts";
import { quoted, unsupported } from "./source.ts";

/** constant + the sum of the coefficients times their variables; no coefficient is 0. */
export interface Linear {
  readonly constant: Decimal;
  readonly inputs: ReadonlyMap<number, Decimal>;
  readonly outputs: ReadonlyMap<number, Decimal>;
}

export interface Variable {
  readonly kind: "inputs" | "outputs";
  readonly index: number;
}

/** What a form is read against: the text it stands in, and the variables declared before it. */
export interface Scope {
  readonly text: string;
  readonly declared: ReadonlySet<string>;
}

/** X_i or Y_j; null for any other name. */
export function variableOf(name: string): Variable | null {
  const match = /^([XY])_(0|[1-9]\d{0,8})$/.exec(name);
  return match && { kind: match[1] === "X" ? "inputs" : "outputs", index: Number(match[2]) };
}

/** Throws: `invalid-query` with line and column for names that are not declared and terms that are not linear. */
export function linearOf(form: Form, scope: Scope): Linear {
  try {
    return form.kind === "word" ? linearOfWord(form, scope) : linearOfList(form, scope);
  } catch (error) {
    // A number that grew out of bounds, told where it stands.
    if (error instanceof RangeError) throw unsupported(scope.text, form.at, error.message);
    throw error;
  }
}

function constantTerm(constant: Decimal): Linear {
  return { constant, inputs: new Map(), outputs: new Map() };
}

function linearOfWord({ text: word, at }: Word, { text, declared }: Scope): Linear {
  const number = decimalOf(word);
  if (number !== null) return constantTerm(number);
  if (!declared.has(word)) {
    const hint = variableOf(word) === null ? "numbers are decimal, variables X_i and Y_j" : "it is not declared";
    throw unsupported(text, at, `unknown symbol ${quoted(word)} (${hint})`);
  }
  const { kind, index } = variableOf(word)!;
  return { ...constantTerm(ZERO), [kind]: new Map([[index, ONE]]) };
}

function linearOfList(list: List, scope: Scope): Linear {
  const [head, ...rest] = list.items;
  const operator = head?.kind === "word" ? head.text : "";
  if (!["+", "-", "*"].includes(operator)) {
    throw unsupported(scope.text, list.at, `a linear term is needed, not ${headOf(list)}`);
  }
  if (rest.length === 0) throw unsupported(scope.text, list.at, `${quoted(operator)} of nothing`);
  const terms = rest.map((one) => linearOf(one, scope));
  if (operator === "*") return terms.reduce((a, b) => product(a, b, list, scope));
  if (operator === "+") return sum(terms);
  return terms.length === 1 ? negated(terms[0]) : sum([terms[0], ...terms.slice(1).map(negated)]);
}

/** How an unexpected form is named in a message. */
export function headOf(form: Form): string {
  if (form.kind === "word") return quoted(form.text);
  const [head] = form.items;
  return head === undefined ? "an empty list" : head.kind === "word" ? `(${quoted(head.text)} …)` : "a list of lists";
}

function product(a: Linear, b: Linear, list: List, scope: Scope): Linear {
  const [factor, term] = isConstant(a) ? [a.constant, b] : [b.constant, a];
  if (!isConstant(a) && !isConstant(b)) throw unsupported(scope.text, list.at, "a product of two variables");
  return times(term, factor);
}

function isConstant({ inputs, outputs }: Linear): boolean {
  return inputs.size === 0 && outputs.size === 0;
}

function times({ constant, inputs, outputs }: Linear, factor: Decimal): Linear {
  const each = (terms: ReadonlyMap<number, Decimal>) =>
    new Map(factor.digits === 0n ? [] : [...terms].map(([i, c]) => [i, multiply(c, factor)] as const));
  return { constant: multiply(constant, factor), inputs: each(inputs), outputs: each(outputs) };
}

const MINUS_ONE = negate(ONE);

function negated(term: Linear): Linear {
  return times(term, MINUS_ONE);
}

/** a - b. */
export function difference(a: Linear, b: Linear): Linear {
  return sum([a, negated(b)]);
}

/** Sums of thousands of terms are gathered in one map. */
function sum(terms: readonly Linear[]): Linear {
  let constant = ZERO;
  const inputs = new Map<number, Decimal>(), outputs = new Map<number, Decimal>();
  for (const term of terms) {
    constant = add(constant, term.constant);
    for (const [i, c] of term.inputs) gather(inputs, i, c);
    for (const [i, c] of term.outputs) gather(outputs, i, c);
  }
  return { constant, inputs, outputs };
}

function gather(terms: Map<number, Decimal>, i: number, coefficient: Decimal): void {
  const total = add(terms.get(i) ?? ZERO, coefficient);
  if (total.digits === 0n) terms.delete(i);
  else terms.set(i, total);
}
