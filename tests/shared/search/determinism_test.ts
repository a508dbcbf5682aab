/** The same pieces, byte for byte: twice, in any order, on any backend, and gone on with from what was saved. */
import assert from "node:assert/strict";
import { packCheckpoint, unpackCheckpoint } from "../../../shared/checkpoint.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import type { Vectors } from "../../../shared/kernels/vectors.ts";
import { resume, search } from "../../../shared/search/loop.ts";
import type { Piece } from "../../../shared/search/piece.ts";
import { regionOf } from "../../../shared/search/region.ts";
import type { SavedTree } from "../../../shared/search/saved.ts";
import type { Expander } from "../../../shared/search/tree.ts";
import module from "../../../wasm/dist/kernels.js";
import { type Drawn, drawRegion } from "./pieces.ts";
import { bytesOf, taskOf } from "./search_claims.ts";

const SEED = 20_261_133, NETWORKS = 26, NODES = 120;
const kernels = wasmKernels(module);

/** The drawn region on a backend of its own. */
function on(drawn: Drawn, vectors?: (numbers: number) => Vectors): Drawn {
  const { network, box } = drawn.region;
  return { ...drawn, region: regionOf(network, box, vectors) };
}

const found = await Promise.all(Array.from({ length: NETWORKS }, (_, index) => drawRegion(SEED, index)));
const regions = found.filter((one) => one !== undefined);

async function bytes(drawn: Drawn, through: (expander: Expander<Piece>) => Expander<Piece> = (one) => one) {
  const { roots, task } = taskOf(drawn, NODES);
  return bytesOf((await search(roots, { ...task, expander: through(task.expander) })).save());
}

Deno.test(`a search leaves the same bytes twice, and on the reference and WebAssembly (seed ${SEED})`, async () => {
  for (const drawn of regions) {
    const first = await bytes(on(drawn));
    assert.equal(await bytes(on(drawn)), first, drawn.name);
    const there = on(drawn, (numbers) => kernels.vectors(numbers)!);
    assert.equal(await bytes(there), first, drawn.name);
    there.region.vectors.release();
  }
});

Deno.test(`a piece becomes the same whatever was expanded before it (seed ${SEED})`, async () => {
  for (const drawn of regions) {
    const backwards = (expander: Expander<Piece>): Expander<Piece> => ({
      ...expander,
      expand: async (nodes, levels) => {
        const expansions = [];
        for (const node of [...nodes].reverse()) expansions.unshift((await expander.expand([node], levels))[0]);
        // Twice: the workspace was last used for other pieces.
        assert.deepEqual(await expander.expand(nodes.slice(0, 2), levels), expansions.slice(0, 2));
        return expansions;
      },
    });
    assert.equal(await bytes(on(drawn), backwards), await bytes(on(drawn)), drawn.name);
  }
});

/** Through bytes and back. */
function asBytes(tree: SavedTree<Piece>): SavedTree<Piece> {
  const work = { flops: 0, rows: 0 };
  return unpackCheckpoint(packCheckpoint({ attempt: 0, done: work, search: { tree, work } })).search.tree;
}

Deno.test(`a search goes on from the bytes of any round with the same pieces (seed ${SEED})`, async () => {
  for (const drawn of regions) {
    const saves: SavedTree<Piece>[] = [], { roots, task } = taskOf(on(drawn), NODES);
    const full = await search(roots, task, { onRound: (save) => void saves.push(asBytes(save())) });
    const middle = saves[saves.length >> 1];
    if (middle === undefined) continue;
    // What bounds the rest has never seen the pieces before.
    const onward = await resume(middle, taskOf(on(drawn), NODES).task);
    assert.equal(bytesOf(onward.save()), bytesOf(full.save()), drawn.name);
  }
});
