/** Laws of the loop, on searches whose truth is known. fast-check prints the seed of what fails. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Goal } from "../../../shared/search/goal.ts";
import { MOST_RECORDED_NUMBERS } from "../../../shared/search/limits.ts";
import { NODES_PER_ROUND, resume, search, type SearchContext } from "../../../shared/search/loop.ts";
import { cut, join, type SavedTree, savedUppers } from "../../../shared/search/saved.ts";
import { checkLaws, LAWS } from "./laws.ts";
import { rootsOf, type Span, taskOf, tasks, type Toy, toys, truthOf, watched } from "./toy.ts";

for (const [law, check] of Object.entries(LAWS)) {
  Deno.test(`search() ${law}`, () => checkLaws(check, { search, resume, cut, join }, 150));
}

Deno.test("search() to its end finds the truth, and says so", async () => {
  await fc.assert(fc.asyncProperty(toys(), async (toy) => {
    const truth = truthOf(toy), largest = Math.max(...truth);
    const each = await search(rootsOf(toy), taskOf(toy, { goal: { kind: "each" } }));
    // A table of one entry has nothing to split: its root's bound stays.
    const expected = truth.map((most, k) => toy.tables[k].length === 1 ? most + 1 : most);
    assert.deepEqual(each.trees.map(({ upper }) => upper), expected);
    assert.deepEqual([each.stoppedBy, each.open], ["closed", 0]);
    const { trees, stoppedBy } = await search(rootsOf(toy), taskOf(toy));
    const upper = Math.max(...trees.map((tree) => tree.upper));
    assert.equal(stoppedBy, "closed");
    assert.ok(upper >= largest && upper <= largest + 1);
    if (toy.tables.every(({ length }) => length > 1)) assert.equal(upper, largest);
  }));
});

Deno.test("search() with a claim ends as soon as it is decided, and decides it", async () => {
  const property = fc.asyncProperty(toys(), fc.integer({ min: -30, max: 70 }), async (toy, at_most) => {
    if (toy.tables.some(({ length }) => length === 1)) return;
    const { trees, nodes, stoppedBy } = await search(rootsOf(toy), taskOf(toy, { goal: { kind: "largest", at_most } }));
    const upper = Math.max(...trees.map((tree) => tree.upper)), lower = Math.max(...trees.map((tree) => tree.lower));
    assert.equal(stoppedBy, "closed");
    assert.equal(upper <= at_most, Math.max(...truthOf(toy)) <= at_most);
    assert.equal(lower > at_most, Math.max(...truthOf(toy)) > at_most);
    assert.ok(nodes <= (await search(rootsOf(toy), taskOf(toy, { goal: { kind: "each" } }))).nodes);
  });
  await fc.assert(property);
});

Deno.test("search() for thresholds proves or refutes every tree, or stops at the first that is refuted", async () => {
  const property = fc.asyncProperty(toys(), fc.integer({ min: -10, max: 60 }), async (toy, threshold) => {
    if (toy.tables.some(({ length }) => length === 1)) return;
    const thresholds = toy.tables.map(() => threshold), truth = truthOf(toy);
    const ask = (refuted_ends: "search" | "tree") =>
      search(rootsOf(toy), taskOf(toy, { goal: { kind: "all_at_most", thresholds, refuted_ends } }));
    const apart = await ask("tree");
    apart.trees.forEach(({ upper, lower }, k) => {
      assert.equal(upper <= threshold, truth[k] <= threshold);
      assert.equal(lower > threshold, truth[k] > threshold);
    });
    const together = await ask("search");
    assert.ok(together.nodes <= apart.nodes);
    assert.equal(together.trees.some(({ lower }) => lower > threshold), truth.some((most) => most > threshold));
    assert.deepEqual([apart.stoppedBy, together.stoppedBy], ["closed", "closed"]);
  });
  await fc.assert(property);
});

Deno.test("search() stops at the gap, with a gap that is not above it", async () => {
  let stopped = 0;
  const property = fc.asyncProperty(toys(1), fc.constantFrom(0.05, 0.3, 0.9), async (toy, gap) => {
    const { trees: [{ upper, lower }], stoppedBy, nodes } = await search(rootsOf(toy), taskOf(toy, { gap }));
    if (stoppedBy !== "gap") return assert.equal(stoppedBy, "closed");
    stopped++;
    if (lower > 0) assert.ok((upper - lower) / upper <= gap, `${upper} ${lower} ${gap}`);
    assert.ok(nodes <= (await search(rootsOf(toy), taskOf(toy))).nodes);
  });
  await fc.assert(property);
  assert.ok(stopped > 0);
});

/** A clock that moves when it is paused; `turns` is called then. */
function steppingClock(turns: (turn: number) => void = () => {}) {
  let turn = 0;
  return {
    now: () => turn,
    pause: () => {
      turns(++turn);
      return Promise.resolve();
    },
  };
}

Deno.test("search() that is interrupted keeps the worst open bound, and goes on as if it was not", async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(
    tasks(),
    fc.nat(5),
    fc.constantFrom("time", "canceled", "memory"),
    async (task, turns, by) => {
      const { toy } = task, full = await search(rootsOf(toy), taskOf(toy, task));
      const finish = new AbortController();
      const context: SearchContext<Span> = by === "time"
        ? { clock: steppingClock(), deadline: turns }
        : by === "memory"
        ? { openBytes: 150 * turns }
        : { finish: finish.signal, clock: steppingClock((turn) => turn >= turns && finish.abort()) };
      const stopped = await search(rootsOf(toy), taskOf(toy, task), context);
      assert.ok(stopped.stoppedBy === by || stopped.stoppedBy === full.stoppedBy);
      seen.add(stopped.stoppedBy);
      stopped.trees.forEach(({ upper, lower }, k) => {
        assert.ok(upper >= truthOf(toy)[k] && upper >= full.trees[k].upper && lower <= full.trees[k].lower);
      });
      const onward = await resume(stopped.save(), taskOf(toy, task));
      assert.deepEqual(onward.save(), full.save());
    },
  );
  await fc.assert(property, { numRuns: 300 });
  for (const by of ["time", "canceled", "memory", "closed"]) assert.ok(seen.has(by), by);
});

Deno.test("search() ends before a round that a record might not hold, whatever max_nodes", async () => {
  const toy: Toy = { tables: [Array.from({ length: 90 }, (_, i) => i % 7)], slack: 2, isEven: false };
  const full = await search(rootsOf(toy), taskOf(toy));
  const recordedNumbers = MOST_RECORDED_NUMBERS / 8;
  const ended = await search(rootsOf(toy), { ...taskOf(toy), recordedNumbers });
  assert.deepEqual([full.stoppedBy, ended.stoppedBy], ["closed", "record"]);
  assert.ok(ended.nodes > 0 && ended.nodes < full.nodes && ended.open > 8);
  assert.ok(ended.trees[0].upper >= full.trees[0].upper);
  for (let max_nodes = 0; max_nodes < full.nodes; max_nodes++) {
    const other = await search(rootsOf(toy), { ...taskOf(toy, { max_nodes }), recordedNumbers });
    assert.ok(other.trees[0].upper >= ended.trees[0].upper, `${max_nodes}`);
    if (other.stoppedBy === "record") assert.deepEqual(other.save(), ended.save());
    else assert.ok(max_nodes < 2 * ended.nodes, `${max_nodes}: ${other.stoppedBy}`);
  }
  const none = await search(rootsOf(toy), { ...taskOf(toy), recordedNumbers: MOST_RECORDED_NUMBERS + 1 });
  assert.deepEqual([none.stoppedBy, none.nodes], ["record", 0]);
});

Deno.test("search() throws the signal's reason when aborted", async () => {
  const toy: Toy = { tables: [Array.from({ length: 90 }, (_, i) => i % 7)], slack: 2, isEven: false };
  const controller = new AbortController(), reason = new Error("enough");
  const onProgress = () => controller.abort(reason);
  await assert.rejects(search(rootsOf(toy), taskOf(toy), { signal: controller.signal, onProgress }), reason);
});

Deno.test("search() tells of every round, with bounds that only get better", async () => {
  await fc.assert(fc.asyncProperty(toys(), async (toy) => {
    const told: { upper: number; lower: number; nodes: number; rounds: number }[] = [];
    const { nodes } = await search(rootsOf(toy), taskOf(toy), { onProgress: (progress) => void told.push(progress) });
    told.forEach(({ upper, lower, rounds }, k) => {
      assert.equal(rounds, k + 1);
      if (k === 0) return;
      assert.ok(upper <= told[k - 1].upper && lower >= told[k - 1].lower && told[k].nodes > told[k - 1].nodes);
    });
    assert.equal(told.at(-1)?.nodes ?? 0, nodes);
  }));
});

Deno.test("search() refuses an expansion that breaks its contract", async () => {
  const toy: Toy = { tables: [[1, 2, 3, 4], [5, 6]], slack: 0, isEven: false };
  const broken: Parameters<typeof watched>[1][] = [
    (_, node) => ({ children: [{ ...node, upper: node.upper + 1 }], closed: 0, bounded: 1, points: [] }),
    (_, node) => ({ children: [{ ...node, tree: 1 - node.tree }], closed: 0, bounded: 1, points: [] }),
    (_, node) => ({ children: [{ ...node, upper: NaN }], closed: 0, bounded: 1, points: [] }),
    () => ({ children: [], closed: NaN, bounded: 1, points: [] }),
    () => ({ children: [], closed: Infinity, bounded: 1, points: [] }),
    () => ({ children: [], closed: 0, bounded: 4, points: [] }),
    () => ({ children: [], closed: -Infinity, bounded: 2, points: [] }), // all parts empty
  ];
  for (const expand of broken) {
    await assert.rejects(search(rootsOf(toy), taskOf(toy, watched(toy, expand))), RangeError);
  }
  const expander = { most: 2, expand: () => Promise.resolve([]) };
  await assert.rejects(search(rootsOf(toy), taskOf(toy, { expander })), RangeError);
});

Deno.test("a saved tree is JSON; other versions and parts that do not belong together are refused", async () => {
  const toy: Toy = { tables: [Array.from({ length: 90 }, (_, i) => i), [1]], slack: 1000, isEven: false };
  const saved = (await search(rootsOf(toy), taskOf(toy, { max_nodes: 6 }))).save();
  assert.deepEqual(JSON.parse(JSON.stringify(saved)), saved);
  assert.deepEqual(structuredClone(saved), saved);
  assert.throws(() => resume({ ...saved, version: 2 } as unknown as SavedTree<Span>, taskOf(toy)), RangeError);
  const parts = cut(saved, 3);
  assert.throws(() => join(parts.slice(1)), RangeError);
  assert.throws(() => join([parts[0], parts[0], parts[1]]), RangeError);
  assert.throws(() => join([saved]), RangeError);
  assert.throws(() => cut(parts[0], 2), RangeError);
  assert.deepEqual(savedUppers(join(parts)), savedUppers(saved));
  const goal: Goal = { kind: "each" };
  const done = await Promise.all(parts.map((part) => resume(part, taskOf(toy, { goal }))));
  assert.deepEqual(savedUppers(join(done.map(({ save }) => save()))), [89, 2]);
  assert.ok(NODES_PER_ROUND >= 16);
});
