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

/** The tree whose best node lies furthest above its level (then the larger bound, then the older); -1 where none is open. */
export function nextTree<N extends TreeNode>(heaps: readonly Heap<N>[], levels: Float64Array): number {
  let next = -1;
  for (let tree = 0; tree < heaps.length; tree++) {
    const [best] = heaps[tree];
    if (best === undefined) continue;
    if (next < 0 || isFurther(best, levels[tree], heaps[next][0], levels[next])) next = tree;
  }
  return next;
}

function isFurther<N extends TreeNode>(a: Open<N>, levelA: number, b: Open<N>, levelB: number): boolean {
  const [above, than] = [a.node.upper - levelA, b.node.upper - levelB];
  return above === than ? precedes(a, b) : above > than;
}
