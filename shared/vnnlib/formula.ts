/** Formulas of linear constraints, and their disjunctive normal form. */
import { difference, headOf, type Linear, linearOf, type Scope } from "./linear.ts";
import type { Form, List } from "./reader.ts";
import { meaningless, unsupported } from "./source.ts";

/** `linear` <= 0. */
export interface Constraint {
  readonly linear: Linear;
  /** Where it stands in the text. */
  readonly at: number;
}

export type Formula =
  | { readonly kind: "constraint"; readonly constraint: Constraint }
  | { readonly kind: "and" | "or"; readonly parts: readonly Formula[] };

/** Disjuncts of a property, and constraints in all of them together. */
const MAX_DISJUNCTS = 2 ** 14, MAX_CONSTRAINTS = 2 ** 20;

/** Throws: `invalid-query` with line and column for a form that is none of `and`, `or`, `<=`, `>=`. */
export function formulaOf(form: Form, scope: Scope): Formula {
  const head = form.kind === "list" ? form.items[0] : undefined;
  const operator = head?.kind === "word" ? head.text : "";
  if (form.kind === "word" || !["and", "or", "<=", ">="].includes(operator)) {
    throw unsupported(scope.text, form.at, `a constraint or a formula of them is needed, not ${headOf(form)}`);
  }
  if (operator === "<=" || operator === ">=") {
    return { kind: "constraint", constraint: constraintOf(form, operator, scope) };
  }
  const parts = form.items.slice(1);
  if (parts.length === 0) throw unsupported(scope.text, form.at, `"${operator}" of nothing`);
  return { kind: operator as "and" | "or", parts: parts.map((part) => formulaOf(part, scope)) };
}

function constraintOf(list: List, operator: "<=" | ">=", scope: Scope): Constraint {
  if (list.items.length !== 3) {
    throw unsupported(scope.text, list.at, `"${operator}" compares two terms, not ${list.items.length - 1}`);
  }
  const [left, right] = list.items.slice(1).map((form) => linearOf(form, scope));
  return { linear: operator === "<=" ? difference(left, right) : difference(right, left), at: list.at };
}

/** Constraints that hold together. */
export type Conjunct = readonly Constraint[];

/** The disjuncts of the conjunction of `formulas`. Throws: `invalid-query` where they are too many to be listed. */
export function disjunctsOf(formulas: readonly Formula[]): Conjunct[] {
  return conjunction(formulas.map(normal));
}

function normal(formula: Formula): Conjunct[] {
  if (formula.kind === "constraint") return [[formula.constraint]];
  const parts = formula.parts.map(normal);
  return formula.kind === "or" ? checked(parts.flat()) : conjunction(parts);
}

/** One of each, in every way. Constraints that stand alone are joined first. */
function conjunction(parts: readonly Conjunct[][]): Conjunct[] {
  const alone = parts.filter((part) => part.length === 1).flatMap(([part]) => part);
  const choices = parts.filter((part) => part.length !== 1);
  let all: Conjunct[] = [alone];
  for (const choice of choices) {
    checkSize(all.length * choice.length, size(all) * choice.length + size(choice) * all.length);
    all = all.flatMap((one) => choice.map((other) => [...one, ...other]));
  }
  return checked(all);
}

function size(conjuncts: readonly Conjunct[]): number {
  return conjuncts.reduce((sum, { length }) => sum + length, 0);
}

function checked(conjuncts: Conjunct[]): Conjunct[] {
  checkSize(conjuncts.length, size(conjuncts));
  return conjuncts;
}

function checkSize(disjuncts: number, constraints: number): void {
  if (disjuncts <= MAX_DISJUNCTS && constraints <= MAX_CONSTRAINTS) return;
  throw meaningless(
    `written as a disjunction it has ${disjuncts} disjuncts of ${constraints} constraints; ` +
      `at most ${MAX_DISJUNCTS} and ${MAX_CONSTRAINTS} are supported`,
  );
}
