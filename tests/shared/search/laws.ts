/** Laws that any search loop must keep, as functions of the loop: the right one keeps them, wrong ones are noticed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type * as Loop from "../../../shared/search/loop.ts";
import type * as Saved from "../../../shared/search/saved.ts";
import type { SavedTree } from "../../../shared/search/saved.ts";
import { rootsOf, type Span, taskOf, tasks, type Toy, truthOf, watched } from "./toy.ts";

export type Engine = Pick<typeof Loop, "search" | "resume"> & Pick<typeof Saved, "cut" | "join">;

type Drawn = { readonly toy: Toy } & Pick<Loop.Task<Span>, "goal"> & { readonly gap: number };
type Law = (engine: Engine, drawn: Drawn, number: number) => Promise<void>;

/** Bounds hold: truth <= upper, and what is proved is attained. */
function holds(toy: Toy, trees: readonly { readonly upper: number; readonly lower: number }[]): void {
  truthOf(toy).forEach((most, k) => {
    assert.ok(trees[k].upper >= most, `tree ${k}: ${trees[k].upper} is below ${most}`);
    assert.ok(trees[k].lower <= most, `tree ${k}: ${trees[k].lower} is above ${most}`);
  });
}

export const LAWS: Readonly<Record<string, Law>> = {
  "bounds the truth wherever it stops, within its nodes": async ({ search }, drawn, max_nodes) => {
    const { trees, nodes } = await search(rootsOf(drawn.toy), taskOf(drawn.toy, { ...drawn, max_nodes }));
    holds(drawn.toy, trees);
    assert.ok(nodes <= max_nodes);
  },

  "with more nodes begins with the steps of one with fewer; bounds only get better": async (
    { search },
    drawn,
    most,
  ) => {
    const { toy } = drawn;
    let before: { steps: readonly string[]; trees: Awaited<ReturnType<typeof search>>["trees"] } | null = null;
    for (const max_nodes of [0, Math.floor(most / 3), most, most + 1, most + 40, 1000]) {
      const { expander, steps } = watched(toy);
      const { trees } = await search(rootsOf(toy), taskOf(toy, { ...drawn, max_nodes, expander }));
      if (before !== null) {
        assert.deepEqual(steps.slice(0, before.steps.length), before.steps);
        trees.forEach(({ upper, lower }, k) => {
          assert.ok(upper <= before!.trees[k].upper, `tree ${k}: upper rose to ${upper} with ${max_nodes} nodes`);
          assert.ok(lower >= before!.trees[k].lower, `tree ${k}: lower fell to ${lower} with ${max_nodes} nodes`);
        });
      }
      before = { steps, trees };
    }
  },

  "goes on from any round with the same steps, byte for byte": async ({ search, resume }, drawn, at) => {
    const { toy } = drawn, saves: SavedTree<Span>[] = [];
    const { expander, steps } = watched(toy);
    const full = await search(rootsOf(toy), taskOf(toy, { ...drawn, expander }), {
      onRound: (save) => void saves.push(structuredClone(save())),
    });
    if (saves.length === 0) return;
    const saved = saves[at % saves.length], later = watched(toy);
    const onward = await resume(JSON.parse(JSON.stringify(saved)), taskOf(toy, { ...drawn, ...later }));
    assert.deepEqual(JSON.stringify(onward.save()), JSON.stringify(full.save()));
    assert.deepEqual(later.steps, steps.slice(steps.length - later.steps.length));
    assert.deepEqual(onward.trees, full.trees);
  },

  "takes the same steps where nodes are expanded one by one, and in any order": async ({ search }, drawn) => {
    const { toy } = drawn, { expander } = watched(toy);
    const backwards = {
      ...expander,
      expand: async (nodes: readonly Span[], levels: Float64Array) => {
        const found = [];
        for (const node of [...nodes].reverse()) found.unshift((await expander.expand([node], levels))[0]);
        return found;
      },
    };
    const together = await search(rootsOf(toy), taskOf(toy, drawn));
    const apart = await search(rootsOf(toy), taskOf(toy, { ...drawn, expander: backwards }));
    assert.deepEqual(apart.save(), together.save());
  },

  "moves its levels between rounds only": async ({ search }, drawn) => {
    const { toy } = drawn;
    const { expander } = watched(toy), rounds: { levels: number[]; seen: Float64Array }[] = [];
    const watching = {
      ...expander,
      expand: async (nodes: readonly Span[], levels: Float64Array) => {
        // Every node was worth expanding at the levels of its round, and those of the rounds before stand.
        for (const { upper, tree } of nodes) assert.ok(upper > levels[tree], `${upper} is not above ${levels[tree]}`);
        for (const { levels, seen } of rounds) assert.deepEqual(Array.from(seen), levels);
        rounds.at(-1)?.levels.forEach((level, k) => assert.ok(levels[k] >= level, "a level fell"));
        rounds.push({ levels: Array.from(levels), seen: levels });
        return await expander.expand(nodes, levels);
      },
    };
    await search(rootsOf(toy), taskOf(toy, { ...drawn, expander: watching }));
  },

  "cut into parts, gone on with and joined bounds the truth, no looser than before": async (engine, drawn, number) => {
    const { toy } = drawn, { search, resume, cut, join } = engine;
    const first = await search(rootsOf(toy), taskOf(toy, { ...drawn, max_nodes: 4 + number % 40 }));
    const parts = await Promise.all(
      cut(first.save(), 1 + number % 3).map(async (part) => {
        const task = taskOf(toy, { ...drawn, max_nodes: part.nodes + number % 50 });
        return (await resume(part, task)).save();
      }),
    );
    const joined = join(parts);
    const stopped = await resume(joined, taskOf(toy, { ...drawn, max_nodes: joined.nodes }));
    holds(toy, stopped.trees);
    stopped.trees.forEach(({ upper, lower }, k) => {
      assert.ok(upper <= first.trees[k].upper && lower >= first.trees[k].lower, `tree ${k} got worse`);
    });
    holds(toy, (await resume(joined, taskOf(toy, drawn))).trees);
  },
};

export function checkLaws(law: Law, engine: Engine, numRuns: number, seed?: number): Promise<void> {
  const property = fc.asyncProperty(tasks(), fc.nat(200), (drawn, number) => law(engine, drawn, number));
  return fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed, endOnFailure: true }) });
}
