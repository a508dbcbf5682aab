/** The jobs that have not ended, the oldest first: one small record, for a store that cannot list its keys. */
import type { Bytes } from "../storage/port.ts";

export type Board = readonly string[];

/** Jobs that a host may let wait: some more fit into a record (74 bytes each), for those who come at the same moment. */
export const MOST_ON_BOARD = 512;

export function readBoard(bytes: Bytes | null): Board {
  return bytes === null ? [] : JSON.parse(new TextDecoder().decode(bytes)) as Board;
}

export function writeBoard(board: Board): Bytes {
  return new TextEncoder().encode(JSON.stringify(board));
}

/** Null: it is there already. */
export function withJob(board: Board, id: string): Board | null {
  return board.includes(id) ? null : [...board, id];
}

/** Null: it was not there. */
export function withoutJob(board: Board, id: string): Board | null {
  return board.includes(id) ? board.filter((other) => other !== id) : null;
}
