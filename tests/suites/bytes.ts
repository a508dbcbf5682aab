/** `length` bytes that depend on `seed` and on their place, so that a lost or misplaced piece shows. */
export function content(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Keys that a backend may take for something else; all are different. */
export const ODD_KEYS = [
  "a",
  "a/",
  "a/b",
  "a:b",
  "p:0:b:a",
  ".",
  "..",
  " ",
  "*",
  "[x]?\\^$",
  "%2F",
  "a%00b",
  "a\0b",
  "line\r\nline\ttab",
  "\"quotes'",
  "__proto__",
  "constructor",
  "{tag}:a",
  "\u00e9",
  "e\u0301",
  "ключ 键 🔑",
  "k".repeat(256),
  "🔑".repeat(64),
] as const;

/** Keys that no backend takes. */
export const WRONG_KEYS = ["", "k".repeat(257), "🔑".repeat(64) + "k", "a\ud800", "\udc00"] as const;
