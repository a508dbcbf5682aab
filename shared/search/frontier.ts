import type { SearchNode } from "./node.ts";

/** Open nodes, the largest bound first and of equal ones the older: a binary heap. */
export interface Frontier {
  readonly heap: { readonly node: SearchNode; readonly order: number }[];
  added: number;
}

export function newFrontier(): Frontier {
  return { heap: [], added: 0 };
}

export function addTo(frontier: Frontier, node: SearchNode): void {
  const { heap } = frontier;
  const one = { node, order: frontier.added++ };
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

/** The node with the largest bound; undefined where none is open. */
export function bestOf({ heap }: Frontier): SearchNode | undefined {
  return heap[0]?.node;
}

/** Takes the best node off. */
export function takeBest({ heap }: Frontier): SearchNode {
  const best = heap[0].node;
  const last = heap.pop()!;
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

function precedes(a: Frontier["heap"][number], b: Frontier["heap"][number]): boolean {
  return a.node.upper > b.node.upper || (a.node.upper === b.node.upper && a.order < b.order);
}
