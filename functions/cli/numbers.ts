/** Numbers given on a command line: written there, or in a file as a JSON array, as text or as .npy. */
import { LipcertError } from "../../shared/errors.ts";
import type { CommandHost } from "./host.ts";
import { isNpy, numbersOfNpy } from "./npy.ts";

/** What numbers may be, as the help says it. */
export const NUMBER_FORMS =
  "numbers separated by commas or spaces, or a file: a JSON array, such numbers, .npy (float32 or float64, C order)";

const MAX_FILE_BYTES = 2 ** 26;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Numbers, or the numbers of a file.
 *
 * Throws: `invalid-query` naming the option and the first place that is no number; what reading the file throws.
 */
export async function numbersFrom(option: string, text: string, host: CommandHost): Promise<number[]> {
  const words = wordsOf(text);
  if (words.length > 0 && words.every((word) => NUMBER.test(word))) return words.map(Number);
  if (words.length > 1 && NUMBER.test(words[0])) return numbersOfText(option, text);
  const bytes = await readFor(option, text, host);
  const where = `${option} (file ${JSON.stringify(text)})`;
  if (!isNpy(bytes)) return numbersOfText(where, decode(where, bytes));
  try {
    return numbersOfNpy(bytes);
  } catch (error) {
    throw misread(where, error instanceof Error ? error.message : String(error));
  }
}

async function readFor(option: string, path: string, host: CommandHost): Promise<Uint8Array> {
  try {
    return await host.read(path, MAX_FILE_BYTES);
  } catch (error) {
    if (!(error instanceof LipcertError)) throw error;
    const members = { ...error.members, option, supported: NUMBER_FORMS };
    throw new LipcertError(error.type, `Cannot read ${option}: no numbers, and ${error.message}`, members, error);
  }
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function decode(where: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw misread(where, "it is neither text nor .npy");
  }
}

function numbersOfText(where: string, text: string): number[] {
  if (/^\s*\[/.test(text)) return numbersOfJson(where, text);
  const words = wordsOf(text);
  const wrong = words.findIndex((word) => !NUMBER.test(word));
  if (wrong >= 0) {
    throw misread(where, `${JSON.stringify(words[wrong].slice(0, 40))} is no number, at position ${wrong}`);
  }
  return words.map(Number);
}

/** Nested arrays are read row by row. */
function numbersOfJson(where: string, text: string): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw misread(where, error instanceof Error ? error.message : String(error));
  }
  const numbers: number[] = [];
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (Array.isArray(next)) { for (let i = next.length - 1; i >= 0; i--) waiting.push(next[i]); }
    else if (typeof next === "number") numbers.push(next);
    else throw misread(where, `${JSON.stringify(next)?.slice(0, 40)} is no number, at position ${numbers.length}`);
  }
  return numbers;
}

function misread(where: string, message: string): LipcertError {
  return new LipcertError("invalid-query", `Cannot read ${where}: ${message}`, { supported: NUMBER_FORMS });
}

/** One number. Throws: `invalid-query` naming the option. */
export function numberFrom(option: string, text: string): number {
  if (NUMBER.test(text)) return Number(text);
  throw new LipcertError("invalid-query", `Cannot read ${option}: ${JSON.stringify(text)} is no number`, { option });
}

/** Numbers on the command line, separated by commas. */
export function listFrom(option: string, text: string): number[] {
  return wordsOf(text).map((word) => numberFrom(option, word));
}
