/**
 * Arrays of numbers, checked by one loop.
 *
 * A schema per element costs an allocation per element, and a question holds thousands of numbers; so the loop is ours
 * and the JSON schema is stated beside it.
 */
import { z } from "@hono/zod-openapi";

interface NumberRule {
  readonly integer?: boolean;
  readonly minimum?: number;
  /** Whether null may stand for a number: a bound that overflowed. */
  readonly nullable?: boolean;
}

function fault(value: unknown, rule: NumberRule): string | null {
  if (value === null && rule.nullable) return null;
  if (typeof value !== "number") return `expected a number, received ${nameOf(value)}`;
  if (!Number.isFinite(value)) return "beyond the range of doubles";
  if (rule.integer && !Number.isSafeInteger(value)) return "expected an integer";
  if (rule.minimum !== undefined && value < rule.minimum) return `expected a number of at least ${rule.minimum}`;
  return null;
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** The first fault in a list, as a path and a message. */
function faultOfList(value: unknown, rule: NumberRule): { path: number[]; message: string } | null {
  if (!Array.isArray(value)) return { path: [], message: `expected an array of numbers, received ${nameOf(value)}` };
  for (let i = 0; i < value.length; i++) {
    const message = fault(value[i], rule);
    if (message !== null) return { path: [i], message };
  }
  return null;
}

function numberSchema(rule: NumberRule) {
  return {
    type: rule.integer ? "integer" as const : "number" as const,
    ...(rule.minimum === undefined ? {} : { minimum: rule.minimum }),
  };
}

function itemSchema(rule: NumberRule) {
  return rule.nullable ? { type: ["number" as const, "null" as const] } : numberSchema(rule);
}

/** [n] finite numbers. */
export function numberList(rule: NumberRule = {}): z.ZodType<number[]> {
  return listOf<number>(rule);
}

/** [n] finite numbers, or null where there are none to show; the document says so too. */
export function numberListOrNull(): z.ZodType<number[] | null> {
  return z.custom<number[] | null>().superRefine((value, c) => {
    const found = value === null ? null : faultOfList(value, {});
    if (found !== null) c.addIssue({ code: "custom", ...found, continue: false });
  }).openapi({ type: ["array", "null"], items: { type: "number" } });
}

/** [n] finite numbers, null where a bound overflowed. */
export function boundList(): z.ZodType<(number | null)[]> {
  return listOf<number | null>({ nullable: true });
}

function listOf<T extends number | null>(rule: NumberRule): z.ZodType<T[]> {
  return z.custom<T[]>().superRefine((value, c) => {
    const found = faultOfList(value, rule);
    if (found !== null) c.addIssue({ code: "custom", ...found, continue: false });
  }).openapi({ type: "array", items: itemSchema(rule) });
}

/** [rows][n] finite numbers. */
export function numberRows(): z.ZodType<number[][]> {
  return z.custom<number[][]>().superRefine((value, c) => {
    if (!Array.isArray(value)) {
      c.addIssue({ code: "custom", message: `expected an array of rows, received ${nameOf(value)}`, continue: false });
      return;
    }
    for (let row = 0; row < value.length; row++) {
      const found = faultOfList(value[row], {});
      if (found === null) continue;
      c.addIssue({ code: "custom", path: [row, ...found.path], message: found.message, continue: false });
      return;
    }
  }).openapi({ type: "array", items: { type: "array", items: { type: "number" } } });
}

/** One number for all, or one for each. */
export function numberOrList(rule: NumberRule = {}): z.ZodType<number | number[]> {
  return z.custom<number | number[]>().superRefine((value, c) => {
    if (Array.isArray(value)) {
      const found = faultOfList(value, rule);
      if (found !== null) c.addIssue({ code: "custom", ...found, continue: false });
      return;
    }
    const message = fault(value, rule);
    if (message !== null) c.addIssue({ code: "custom", message, continue: false });
  }).openapi({
    type: [numberSchema(rule).type, "array"],
    anyOf: [numberSchema(rule), { type: "array", items: itemSchema(rule) }],
  });
}

/** A pair of ends, or one pair for each input. */
export function pairOrPairs(): z.ZodType<[number, number] | [number, number][]> {
  const pair = { type: "array" as const, items: { type: "number" as const }, minItems: 2, maxItems: 2 };
  return z.custom<[number, number] | [number, number][]>().superRefine((value, c) => {
    const pairs = Array.isArray(value) && Array.isArray(value[0]) ? value : [value];
    for (let i = 0; i < pairs.length; i++) {
      const at = pairs === value ? [i] : [];
      const found = faultOfList(pairs[i], {}) ??
        ((pairs[i] as number[]).length === 2 ? null : { path: [], message: "expected a pair [lower, upper]" });
      if (found === null) continue;
      c.addIssue({ code: "custom", path: [...at, ...found.path], message: found.message, continue: false });
      return;
    }
  }).openapi({ type: "array", anyOf: [pair, { type: "array", items: pair }] });
}
