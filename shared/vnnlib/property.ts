/** A VNN-LIB 1.0 property: which inputs with which outputs would be counterexamples. */
import { compare, type Decimal, negate, ONE } from "./decimal.ts";
import { type Conjunct, type Constraint, disjunctsOf, type Formula, formulaOf } from "./formula.ts";
import { headOf, type Scope, variableOf } from "./linear.ts";
import { type List, readForms } from "./reader.ts";
import { meaningless, quoted, unsupported } from "./source.ts";

/** The closed box of real inputs that a part of the property speaks of: its ends exactly as they are written. */
export interface DecimalBox {
  readonly lower: readonly Decimal[];
  readonly upper: readonly Decimal[];
}

/** A box, and what the outputs of a counterexample in it satisfy: all constraints of one of the disjuncts. */
export interface Case {
  readonly box: DecimalBox;
  readonly disjuncts: readonly Conjunct[];
}

/** The counterexamples a property describes: an input of the box of some case whose outputs satisfy one of its disjuncts. */
export interface Counterexamples {
  readonly inputs: number;
  readonly outputs: number;
  /** Cases have distinct boxes, none of them empty. No case: nothing satisfies the property. */
  readonly cases: readonly Case[];
}

/** Bounds of inputs in all boxes together. */
const MAX_BOUNDS = 2 ** 22;

/** Characters of a property file: what is read is held in memory several times over. */
export const MAX_PROPERTY_BYTES = 2 ** 24;

/**
 * Reads the text of a property.
 *
 * Throws: `malformed-body` for a text that is no list of forms; `invalid-query` for forms that are not supported, naming
 * line, column and what is supported, and for inputs that have no bound.
 */
export function readProperty(text: string): Counterexamples {
  const declared = new Set<string>();
  const scope: Scope = { text, declared };
  const asserted: Formula[] = [];
  for (const form of readForms(text)) {
    const head = form.kind === "list" && form.items[0]?.kind === "word" ? form.items[0].text : "";
    if (head === "declare-const") declare(form as List, text, declared);
    else if (head === "assert") asserted.push(assertion(form as List, scope));
    else throw unsupported(text, form.at, `unknown command ${headOf(form)}`);
  }
  const inputs = countOf("X", declared), outputs = countOf("Y", declared);
  return { inputs, outputs, cases: casesOf(asserted, inputs, text) };
}

function declare({ items, at }: List, text: string, declared: Set<string>): void {
  const [, name, sort] = items;
  if (items.length !== 3 || name.kind !== "word" || sort.kind !== "word" || sort.text !== "Real") {
    throw unsupported(text, at, "a declaration is (declare-const NAME Real)");
  }
  if (variableOf(name.text) === null) {
    throw unsupported(text, name.at, `the name ${quoted(name.text)} is neither X_i nor Y_j`);
  }
  if (declared.has(name.text)) throw unsupported(text, name.at, `${name.text} is declared twice`);
  declared.add(name.text);
}

function assertion({ items, at }: List, scope: Scope): Formula {
  if (items.length !== 2) throw unsupported(scope.text, at, "an assertion is (assert formula)");
  return formulaOf(items[1], scope);
}

/** How many there are of X_0, X_1, … (or Y). Throws: `invalid-query` where one is missing. */
function countOf(letter: "X" | "Y", declared: ReadonlySet<string>): number {
  let count = 0;
  for (const name of declared) if (name.startsWith(letter)) count++;
  for (let i = 0; i < count; i++) {
    if (!declared.has(`${letter}_${i}`)) throw meaningless(`${letter}_${i} is not declared, and later ones are`);
  }
  if (count === 0) throw meaningless(`no ${letter === "X" ? "input X_i" : "output Y_j"} is declared`);
  return count;
}

function casesOf(asserted: readonly Formula[], inputs: number, text: string): Case[] {
  // What is asserted of inputs alone, on its own, holds in every disjunct: it is read once.
  const shared: Constraint[] = [];
  const others: Formula[] = [];
  for (const formula of asserted) {
    if (formula.kind === "constraint" && formula.constraint.linear.outputs.size === 0) shared.push(formula.constraint);
    else others.push(formula);
  }
  const everywhere = new Ends(inputs).with(shared, text);
  const cases = new Map<string, { box: DecimalBox | null; disjuncts: Conjunct[] }>();
  disjunctsOf(others).forEach((conjunct, d) => {
    const mixed = conjunct.find(({ linear }) => linear.inputs.size > 0 && linear.outputs.size > 0);
    if (mixed !== undefined) throw unsupported(text, mixed.at, "a constraint compares inputs with outputs");
    const ofInputs = conjunct.filter(({ linear }) => linear.outputs.size === 0);
    const key = ofInputs.map(({ linear }) => keyOf(linear)).join(";");
    let known = cases.get(key);
    if (known === undefined) {
      if ((cases.size + 1) * inputs > MAX_BOUNDS) throw meaningless(`more than ${cases.size} boxes of inputs`);
      const ends = ofInputs.length === 0 ? everywhere : everywhere.with(ofInputs, text);
      cases.set(key, known = { box: ends.box(`disjunct ${d + 1}`), disjuncts: [] });
    }
    known.disjuncts.push(conjunct.filter(({ linear }) => linear.outputs.size > 0));
  });
  return [...cases.values()].flatMap(({ box, disjuncts }) => box === null ? [] : [{ box, disjuncts }]);
}

function keyOf({ constant, inputs }: Constraint["linear"]): string {
  return [constant, ...inputs.values()].map(({ digits, exponent }) => `${digits}e${exponent}`).join() +
    `:${[...inputs.keys()].join()}`;
}

/** The ends known so far of every input; `none` after a constraint that is false of every input. */
class Ends {
  constructor(
    private readonly size: number,
    private readonly lower: readonly (Decimal | undefined)[] = [],
    private readonly upper: readonly (Decimal | undefined)[] = [],
    private readonly none = false,
  ) {}

  /** The ends after further constraints on inputs. Throws: `invalid-query` for one that is no bound of one input. */
  with(constraints: readonly Constraint[], text: string): Ends {
    const lower = [...this.lower], upper = [...this.upper];
    let none = this.none;
    for (const { linear: { constant, inputs }, at } of constraints) {
      const [only, ...rest] = inputs;
      if (only === undefined) {
        none ||= constant.digits > 0n;
        continue;
      }
      const [i, coefficient] = only;
      const sign = compare(coefficient, ONE) === 0 ? 1 : compare(coefficient, negate(ONE)) === 0 ? -1 : 0;
      if (rest.length > 0 || sign === 0) {
        throw unsupported(text, at, "a constraint on inputs compares one X_i with a number");
      }
      // x + c <= 0 and -x + c <= 0.
      if (sign === 1) upper[i] = least(upper[i], negate(constant));
      else lower[i] = greatest(lower[i], constant);
    }
    return new Ends(this.size, lower, upper, none);
  }

  /** The box, or null where it is empty. Throws: `invalid-query` for an input without a bound. */
  box(where: string): DecimalBox | null {
    for (let i = 0; i < this.size; i++) {
      const missing = this.lower[i] === undefined ? "lower" : this.upper[i] === undefined ? "upper" : null;
      if (missing !== null) throw meaningless(`X_${i} has no ${missing} bound in ${where}: the inputs must form a box`);
    }
    const box = { lower: this.lower as Decimal[], upper: this.upper as Decimal[] };
    return this.none || box.lower.some((l, i) => compare(l, box.upper[i]) > 0) ? null : box;
  }
}

function least(a: Decimal | undefined, b: Decimal): Decimal {
  return a !== undefined && compare(a, b) <= 0 ? a : b;
}

function greatest(a: Decimal | undefined, b: Decimal): Decimal {
  return a !== undefined && compare(a, b) >= 0 ? a : b;
}
