/** Loops that are wrong in one place, made from the source, and the laws of `laws.ts` that notice them. */
import assert from "node:assert/strict";
import { checkLaws, type Engine, LAWS } from "./laws.ts";

const SOURCES = new URL("../../../shared/search/", import.meta.url);
const PARTS = ["goal", "frontier", "state", "saved", "loop"];
const SEED = 20_261_128;

interface Mutant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: Readonly<Record<string, Mutant>> = {
  "a dropped leaf": {
    file: "state",
    from: "state.closed[tree] = Math.max(state.closed[tree], closed);",
    to: "",
  },
  "a dropped child": {
    file: "state",
    from: "for (const child of children)",
    to: "for (const child of children.slice(1))",
  },
  "a lost open bound": {
    file: "state",
    from: "heaps[tree].length === 0 ? bound : Math.max(bound, heaps[tree][0].node.upper)",
    to: "heaps[tree].length === 0 || bound > -Infinity ? bound : heaps[tree][0].node.upper",
  },
  "the last open bound for the worst": {
    file: "state",
    from: "heaps[tree][0].node.upper",
    to: "heaps[tree].at(-1)!.node.upper",
  },
  "a settled node whose bound is forgotten": {
    file: "state",
    from: "state.closed[tree] = Math.max(state.closed[tree], one.node.upper);",
    to: "",
  },
  "a bound that is forgotten where it does not matter": {
    file: "state",
    from: "else state.closed[tree] = Math.max(state.closed[tree], upper);",
    to: "",
  },
  "a finished bound that replaces the larger one": {
    file: "state",
    from: "state.closed[tree] = Math.max(state.closed[tree], closed);",
    to: "state.closed[tree] = closed;",
  },
  "an incumbent that moves in mid-round": {
    file: "loop",
    from: "const expansions = await expander.expand(nodes, state.levels);",
    to: `const expansions = [];
  for (const node of nodes) {
    const [one] = await expander.expand([node], state.levels);
    expansions.push(one);
    const lowers = await prove(promising(state, [one]));
    improve(state, promising(state, [one]), lowers);
    settle(state, rules);
  }`,
  },
  "an incumbent taken from what is not proved": {
    file: "state",
    from: "if (lowers[k] > proved[tree].lower) proved[tree] = { lower: lowers[k], point };",
    to: "if (score > proved[tree].lower) proved[tree] = { lower: score, point };",
  },
  "a lower bound that may fall": {
    file: "state",
    from: "if (lowers[k] > proved[tree].lower) proved",
    to: "proved",
  },
  "a round cut short that others follow": {
    file: "loop",
    from: "if (affordable < wanted) state.cut = true;",
    to: "",
  },
  "an order that the heap's layout decides": {
    file: "frontier",
    from: "(a.node.upper === b.node.upper && a.order < b.order)",
    to: "false",
  },
  "a saved tree without its last open node": {
    file: "saved",
    from: "frontier: heaps.flat().sort((a, b) => a.order - b.order),",
    to: "frontier: heaps.flat().sort((a, b) => a.order - b.order).slice(0, -1),",
  },
  "a saved tree that forgets what is finished": {
    file: "saved",
    from: "closed: closed.map(numberOut),",
    to: "closed: closed.map(() => null),",
  },
  "ages that begin anew": {
    file: "saved",
    from: "opened: saved.opened, nodes",
    to: "opened: 0, nodes",
  },
  "a part that gets nothing": {
    file: "saved",
    from: "k % parts === index",
    to: "index > 0 && k % parts === index",
  },
  "joined parts of which the first one's bounds count": {
    file: "saved",
    from: "...inOrder.map(({ closed }) => numberIn(closed[tree]))",
    to: "numberIn(first.closed[tree])",
  },
  "more nodes than were asked for": {
    file: "loop",
    from: "take(state, Math.min(wanted, affordable), rules)",
    to: "take(state, wanted, rules)",
  },
};

/** A loop of its own, from copies of the sources of which one is changed. */
async function loopWith({ file, from, to }: Mutant, folder: string): Promise<Engine> {
  for (const part of PARTS) {
    let text = await Deno.readTextFile(new URL(`${part}.ts`, SOURCES));
    if (part === file) {
      assert.equal(text.split(from).length, 2, `${file}.ts has one place to change: ${from}`);
      text = text.replace(from, () => to).replace("({ tree, point }, k)", "({ tree, point, score }, k)");
    }
    for (const [, name] of text.matchAll(/from "\.\/(\w+)\.ts"/g)) {
      if (!PARTS.includes(name)) text = text.replaceAll(`"./${name}.ts"`, `"${new URL(`${name}.ts`, SOURCES)}"`);
    }
    await Deno.writeTextFile(`${folder}/${part}.ts`, text);
  }
  const [loop, saved] = await Promise.all(["loop", "saved"].map((part) => import(`file://${folder}/${part}.ts`)));
  return { search: loop.search, resume: loop.resume, cut: saved.cut, join: saved.join };
}

async function brokenLaws(engine: Engine): Promise<string[]> {
  const broken: string[] = [];
  for (const [name, law] of Object.entries(LAWS)) {
    try {
      await checkLaws(law, engine, 150, SEED);
    } catch {
      broken.push(name);
    }
  }
  return broken;
}

for (
  const [what, mutant] of [
    ["nothing at all", { file: "loop", from: "const rules = ", to: "const rules = " }],
    ...Object.entries(MUTANTS),
  ] as [string, Mutant][]
) {
  Deno.test(`laws of the search loop: ${what === "nothing at all" ? "a copy keeps them" : `${what} is noticed`} (seed ${SEED})`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const broken = await brokenLaws(await loopWith(mutant, folder));
      assert.equal(broken.length > 0, what !== "nothing at all", broken.join());
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
