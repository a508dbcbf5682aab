/**
 * Prints every stored row of the peer's branch and bound beside ours at the same count of nodes; nothing is asserted.
 *
 * Run: deno run -A tests/golden/bab_table.ts [MODEL,MODEL] [MOST_NODES]. Rows from a root with optimised slopes (`other root`) do
 * not answer our question: a peer's smaller value is no failure there. Times are of one run.
 */
import { babAnswers, babRows, RELATIVE } from "./bab.ts";
import { modelsOf } from "./cases.ts";

const [models = modelsOf("bab").join(","), most = "100000"] = Deno.args;
for (const model of models.split(",")) {
  const rows = (await babRows(model)).filter(({ subproblems }) => subproblems <= Number(most));
  let start = performance.now();
  for await (const { row, upper, lower, nodes } of babAnswers(model, rows)) {
    const seconds = ((performance.now() - start) / 1000).toFixed(2), reached = upper <= row.final * (1 + RELATIVE);
    const kind = row.comparable ? "" : " (other root)";
    const left = row.exact === null ? "" : `, exact ${row.exact.toFixed(4)}`;
    console.log(
      `${reached ? "yes" : "NO "} ${row.name}${kind}: ${upper.toFixed(4)} (lower ${
        lower.toFixed(4)
      }, ${nodes} nodes, ` +
        `${seconds} s), peer ${row.root.toFixed(4)} to ${row.final.toFixed(4)} in ${row.subproblems}${left}`,
    );
    start = performance.now();
  }
}
