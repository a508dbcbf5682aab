import type { TreeNode } from "./tree.ts";

/** An open node and its age: of equal bounds the older goes first. */
export interface Open<N extends TreeNode> {
  readonly node: N;
  readonly order: number;
}

/** The open nodes of one tree: a binary heap, the best first. Levels move between trees only, so it need not be resorted. */
export type Heap<N extends TreeNode> = Open<N>[];

/** Whether a comes before b: the larger bound, then the older. A total order, so the heap's layout decides nothing. */
export function precedes<N extends TreeNode>(a: Open<N>, b: Open<N>): boolean {
  return a.node.upper > b.node.upper || (a.node.upper === b.node.upper && a.order < b.order);
}

export function addTo<N extends TreeNode>(heap: Heap<N>, one: Open<N>): void {
  let at = heap.length;
  heap.push(one);
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!precedes(one, heap[above])) break;
    heap[at] = heap[above];
    at = above;
  }
  heap[at] = one;
}

/** Takes the best node off. Throws: `RangeError` where none is there. */
export function takeBest<N extends TreeNode>(heap: Heap<N>): Open<N> {
  const best = heap[0], last = heap.pop();
  if (last === undefined) throw new RangeError("Cannot take a node: none is open");
  if (heap.length === 0) return best;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && precedes(heap[below + 1], heap[below])) below++;
    if (!precedes(heap[below], last)) break;
    heap[at] = heap[below];
    at = below;
  }
  heap[at] = last;
  return best;
}

/**
 * The trees whose best nodes lie furthest above their levels (then the larger bound, then the older), at most so many: the
 * `count` best nodes of all lie in them.
 */
export function bestTrees<N extends TreeNode>(
  heaps: readonly Heap<N>[],
  levels: Float64Array,
  count: number,
  among: Iterable<number> = heaps.keys(),
): number[] {
  const best: number[] = [];
  for (const tree of among) {
    if (heaps[tree].length === 0) continue;
    let at = best.length;
    while (at > 0 && isFurther(heaps, levels, tree, best[at - 1])) at--;
    if (at === count) continue;
    best.splice(at, 0, tree);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Whether the best node of one tree comes before that of another. */
function isFurther<N extends TreeNode>(
  heaps: readonly Heap<N>[],
  levels: Float64Array,
  tree: number,
  than: number,
): boolean {
  const a = heaps[tree][0], b = heaps[than][0];
  const above = a.node.upper - levels[tree], below = b.node.upper - levels[than];
  return above === below ? precedes(a, b) : above > below;
}
