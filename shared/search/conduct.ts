import type { Work } from "../bounds/pass.ts";
import type { SearchContext } from "./loop.ts";
import type { Piece } from "./piece.ts";
import type { SavedTree } from "./saved.ts";

/** A search between rounds, and the work that it took: plain data, enough for another host to go on with. */
export interface SavedSearch {
  readonly tree: SavedTree<Piece>;
  readonly work: Work;
}

/** A search in the hands of a host that has it done in parts. */
export interface Conducted {
  readonly begun: SavedSearch;
  /**
   * Takes a tree, the whole or a part of it, further on this host: to its end, by so many nodes at most, or until the context
   * ends it. `work` is what that took.
   */
  readonly advance: (
    tree: SavedTree<Piece>,
    context?: SearchContext<Piece> & { readonly nodes?: number },
  ) => Promise<SavedSearch>;
}

/**
 * Drives a search over other hosts: cuts the tree (`cut`), has the parts advanced by whoever begins the same question, and hands
 * them back joined (`join`), with the work of all. What is left open then is gone on with here.
 *
 * The bounds hold whoever did what. But a part's steps depend on when it heard what others proved: the certificate tells the
 * number of parts (1: the search was only gone on with) and is not reproducible.
 */
export type Conduct = (search: Conducted) => Promise<SavedSearch & { readonly parts: number }>;

/** How a host saves a search and has it gone on with. */
export interface Continuation {
  /** Where the search goes on: a save of the same question by the same engine. Its steps and bytes are those without a stop. */
  readonly saved?: SavedSearch;
  /** Hears of every round of the whole search (while a host conducts it, of none); `save` copies the search as it is. */
  readonly onSave?: (save: () => SavedSearch) => void;
  /** Not asked where a search is recorded. */
  readonly conduct?: Conduct;
}
