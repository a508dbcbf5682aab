import type { Property } from "../query.ts";

/** Nodes of a search that is not told how many. */
export const DEFAULT_NODES = 10_000;

/** The most nodes that one question may ask for. */
export const MOST_NODES = 1_000_000;

/** The properties that a search is there for. */
export const SEARCHED_PROPERTIES: readonly Property["type"][] = ["lipschitz"];
