import assert from "node:assert/strict";
import { CERTIFY_HELP, certifyCommand } from "../../functions/cli/certify_command.ts";
import { verifyCommand } from "../../functions/cli/verify_command.ts";
import { memoryBlobs, memoryRecords } from "../../functions/adapters/memory.ts";
import { createApp } from "../../functions/app.ts";
import { inProcessCertifier } from "../../functions/certifier/in_process.ts";
import { createKernels } from "../../functions/kernels.ts";
import { budgetFrom, limitsFrom } from "../../functions/settings.ts";
import { certificatesIn } from "../../functions/storage/certificates.ts";
import { modelsIn } from "../../functions/storage/models.ts";
import { MODEL as BYTES, postForm, type ProblemBody } from "../runtime/requests.ts";
import { capture, MODEL, problemIn, type Settings } from "./capture.ts";

const HALF = new Array<number>(16).fill(0.5);
const BOX = ["--center", HALF.join(), "--radius", "0.05"];

async function run(args: readonly string[], settings: Settings = {}) {
  const host = capture(settings);
  return { code: await certifyCommand(args, host), host };
}

Deno.test("certify: exit codes follow the verdict, and the summary shows it with every bound", async () => {
  const cases = [
    [["--property", "lipschitz", "--at-most", "20"], 0, "certified"],
    [["--property", "lipschitz", "--at-most", "1"], 1, "refuted"],
    [["--property", "lipschitz", "--at-most", "16"], 2, "unknown"],
    [["--property", "lipschitz", "--outputs", "0,3"], 0, "certified"],
    [["--property", "robustness", "--label", "3"], 1, "refuted"],
    [["--property", "monotonicity", "--outputs", "3", "--features", "2", "--direction", "increasing"], 0, "certified"],
    [["--property", "radius", "--of", "robustness", "--max", "0.5"], 1, "refuted"],
    [["--property", "radius", "--of", "robustness", "--max=1e-6"], 0, "certified"],
    [["--property", "radius", "--of", "lipschitz", "--at-most", "16", "--max", "0.5", "--gap", "0.1"], 2, "unknown"],
    [
      ["--property", "radius", "--of", "monotonicity", "--outputs", "3", "--features", "5", "--max", "0.5"],
      1,
      "refuted",
    ],
    [["--property", "output_bounds", "--relaxation", "interval", "--preactivation", "interval"], 0, "certified"],
    [["--property", "jacobian_bounds", "--outputs=0", "--relaxation=recurjac", "--output", "y"], 0, "certified"],
  ] as const;
  for (const [args, code, verdict] of cases) {
    const box = args[1] === "radius" ? BOX.slice(0, 2) : BOX;
    const summary = await run([MODEL, ...box, ...args]);
    assert.equal(summary.code, code, args.join(" "));
    const { stdout, stderr } = summary.host;
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(`^verdict +${verdict}`, "m"));
    const json = await run([MODEL, ...box, ...args, "--json"]);
    const certificate = JSON.parse(json.host.stdout);
    assert.ok(stdout.includes(certificate.id));
    for (const number of numbersIn(certificate.finding)) {
      assert.ok(stdout.includes(String(number)), `${args}: ${number}`);
    }
  }
});

/** What the HTTP API answers to a question about the sample model. */
async function overHttp(query: unknown): Promise<Response> {
  const none = () => undefined;
  const budget = budgetFrom(none);
  const storage = { blobs: memoryBlobs(2 ** 20, Date.now), records: memoryRecords(2 ** 20, Date.now) };
  const app = createApp({
    certificates: certificatesIn(storage),
    models: modelsIn(storage),
    certifier: inProcessCertifier(() => createKernels(budget.bytes), budget, 2 ** 20),
    assets: { read: () => Promise.resolve(null) },
    log: { request() {}, note() {}, failure() {} },
    limits: limitsFrom(none),
  });
  const form = await postForm({ model: new Blob([BYTES]), query: JSON.stringify(query) });
  return await app.fetch(new Request("http://localhost/v1/certify", form));
}

/** Bounds, not points: those may be cut. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    ["point", "points", "counterexample", "witnesses"].includes(name) ? [] : numbersIn(part)
  );
}

Deno.test("certify: --json and --out are the bytes that the HTTP API answers with", async () => {
  const { code, host } = await run([
    MODEL,
    ...BOX,
    "--clip",
    "0,1",
    "--property",
    "lipschitz",
    "--json",
    "--out",
    "c.json",
  ]);
  assert.equal(code, 0);
  const response = await overHttp({
    region: { center: HALF, radius: 0.05, clip: [0, 1] },
    property: { type: "lipschitz" },
  });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.equal(host.stdout, `${text}\n`);
  assert.equal(new TextDecoder().decode(host.written.get("c.json")), text);
});

Deno.test("certify: problems are those of the HTTP API", async () => {
  const args = ["--center", HALF.join(), "--radius", "-1", "--property", "lipschitz", "--outputs", "10"];
  const { code, host } = await run([MODEL, ...args]);
  assert.equal(code, 3);
  assert.equal(host.stdout, "");
  const response = await overHttp({
    region: { center: HALF, radius: -1 },
    property: { type: "lipschitz", outputs: [10] },
  });
  const { instance: _, request_id: __, ...problem } = await response.json() as ProblemBody;
  assert.deepEqual(problemIn(host), problem);
});

Deno.test("certify: bad input is exit 3 and one problem that says what, where and what is supported", async () => {
  const cases = [
    [[], /MODEL\.onnx needed/],
    [[MODEL, "more", ...BOX], /got 2 arguments/],
    [[MODEL, "--centre", "0"], /unknown: --centre/],
    [[MODEL, "--radius", "--center"], /needs a value.*--radius/],
    [[MODEL, "--json=1"], /takes no value/],
    [[MODEL, ...BOX, "--radius", "1"], /given twice/],
    [[MODEL, "--property", "lipschitz"], /missing a box/],
    [[MODEL, ...BOX], /missing --property/],
    [[MODEL, ...BOX, "--property", "lip"], /Expected 'lipschitz'/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--relaxation", "crown"], /interval/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--label", "1"], /unknown member at "\/property\/label"/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--max", "1"], /unknown member at "\/property\/max"/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--of", "robustness"], /unknown member at "\/property\/of"/],
    [[MODEL, ...BOX, "--property", "radius"], /missing --of, one of lipschitz, robustness, monotonicity/],
    [[MODEL, ...BOX.slice(0, 2), "--property", "radius", "--of", "robustness"], /missing at "\/property\/max"/],
    [[MODEL, ...BOX, "--property", "radius", "--of", "robustness", "--max", "1"], /give max of the property/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--at-most", "ten"], /--at-most: "ten" is no number/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--output", "z"], /no output "z"/],
    [[MODEL, ...BOX, "--property", "lipschitz", "--timeout", "0"], /positive number of seconds/],
    [[MODEL, "--center", "0,0", "--radius", "1", "--property", "lipschitz"], /16 numbers are needed, not 2/],
    [[MODEL, "--center", "0,NaN", "--radius", "1", "--property", "lipschitz"], /"NaN" is no number, at position 1/],
    [[MODEL, "--center", "none.json", "--radius", "1", "--property", "lipschitz"], /--center: .*none\.json/],
    [[MODEL, "--lower", "1,1", "--upper", "0", "--property", "lipschitz"], /16 numbers are needed/],
    [["none.onnx", ...BOX, "--property", "lipschitz"], /"none\.onnx": there is none/],
    [["tests", ...BOX, "--property", "lipschitz"], /it is no file/],
    [["README.md", ...BOX, "--property", "lipschitz"], /Cannot read model/],
    [["tests/models/torch/other_tanh.onnx", ...BOX, "--property", "lipschitz"], /operator "Tanh"/],
  ] as const;
  for (const [args, says] of cases) {
    const { code, host } = await run(args);
    assert.equal(code, 3, args.join(" "));
    assert.equal(host.stdout, "");
    const { type, status, title, detail, ...members } = problemIn(host);
    assert.match(type, /^\/problems\//);
    assert.ok(typeof title === "string" && typeof status === "number" && status < 500);
    assert.match(`${detail} ${JSON.stringify(members).replaceAll('\\"', '"')}`, says);
  }
});

Deno.test("certify: over budget and out of time are exit 4", async () => {
  const asked = [MODEL, ...BOX, "--property", "lipschitz"];
  const poor = await run(asked, { environment: { LIPCERT_GFLOP: "1e-6" } });
  assert.equal(poor.code, 4);
  assert.match(problemIn(poor.host).detail, /this host allows 1\.00e\+3 flop/);
  let clock = 0;
  const late = await run([...asked, "--timeout", "5"], { now: () => clock += 1000 });
  assert.equal(late.code, 4);
  assert.match(problemIn(late.host).detail, /5 s \(--timeout\) have passed/);
  const wrong = await run(asked, { environment: { LIPCERT_GFLOP: "many" } });
  assert.equal(wrong.code, 3);
  assert.match(problemIn(wrong.host).detail, /LIPCERT_GFLOP must be a positive number/);
});

Deno.test("certify: progress is shown on a terminal's error stream and leaves standard output alone", async () => {
  let clock = 0;
  const asked = [MODEL, ...BOX, "--property", "lipschitz", "--json"];
  const quiet = await run(asked, { now: () => clock += 1000 });
  assert.equal(quiet.host.stderr, "");
  const shown = await run(asked, { now: () => clock += 1000, isTerminal: true });
  assert.match(shown.host.stderr, /\d+ rows, \d+\.\d\d GFLOP/);
  assert.ok(shown.host.stderr.endsWith("\r\x1b[K"));
  assert.equal(shown.host.stdout, quiet.host.stdout);
});

Deno.test("certify: --max-nodes, --gap and --time ask for a search, and progress tells of both bounds", async () => {
  let clock = 0;
  const asked = [MODEL, "--center", HALF.join(), "--radius", "0.3", "--property", "lipschitz", "--json"];
  const searched = async (options: string[], settings: Settings = {}) =>
    JSON.parse((await run([...asked, ...options], settings)).host.stdout);
  assert.deepEqual((await searched(["--max-nodes", "40"])).query.options.search, { max_nodes: 40, gap: 0 });
  const { query, method } = await searched(["--gap", "0.9", "--time", "1.5"]);
  assert.deepEqual(query.options.search, { max_nodes: 10_000, gap: 0.9, time_ms: 1500 });
  assert.equal(method.search.stopped_by, "gap");
  const recorded = await searched(["--max-nodes", "40", "--record"]);
  assert.deepEqual(recorded.query.options.search, { max_nodes: 40, gap: 0, record: true });
  assert.ok(recorded.record.pieces.length > recorded.method.search.nodes);
  // Alone it asks for a search.
  assert.equal((await searched(["--record"])).query.options.search.record, true);
  // The gap of a radius is that of its two ends.
  const radius = [
    "--center",
    HALF.join(),
    "--property",
    "radius",
    "--of",
    "lipschitz",
    "--at-most",
    "16",
    "--max",
    "0.5",
  ];
  const { host } = await run([MODEL, ...radius, "--gap", "0.1", "--max-nodes", "40", "--json"]);
  const { property, options } = JSON.parse(host.stdout).query;
  assert.deepEqual([property.gap, options.search], [0.1, { max_nodes: 40, gap: 0 }]);
  const late = await searched(["--max-nodes", "400", "--time", "2"], { now: () => clock += 1000 });
  assert.deepEqual([late.method.search.stopped_by, late.reproducible], ["time", false]);
  const shown = await run([...asked, "--max-nodes", "400"], { now: () => clock += 1000, isTerminal: true });
  assert.match(shown.host.stderr, /\d+ nodes, \d+ open, \d+\.\d+ to \d+\.\d+, gap 0\.\d+, \d+\.\d s/);
  const wrong = await run([...asked, "--time", "-1"]);
  assert.equal(wrong.code, 3);
});

Deno.test("certify: an interrupt ends a search with the certificate so far", async () => {
  const asked = [MODEL, "--center", HALF.join(), "--radius", "0.3", "--property", "lipschitz", "--json"];
  let listening = 0;
  const patient: Settings = { onInterrupt: () => (listening++, () => void listening--) };
  const full = JSON.parse((await run([...asked, "--max-nodes", "200"], patient)).host.stdout);
  assert.equal(listening, 0, "nobody listens after the search");
  const { code, host } = await run([...asked, "--max-nodes", "200"], { onInterrupt: (now) => (now(), () => {}) });
  const cut = JSON.parse(host.stdout);
  assert.equal(code, 0);
  assert.deepEqual([cut.method.search.stopped_by, cut.reproducible, full.reproducible], ["canceled", false, true]);
  assert.ok(cut.method.search.nodes < full.method.search.nodes && cut.finding.upper >= full.finding.upper);
});

Deno.test("--help lists every option and every name of the environment that is read", async () => {
  for (
    const [command, other] of [[certifyCommand, []], [verifyCommand, [
      "tests/cli/properties/mlp16_unsat.vnnlib",
    ]]] as const
  ) {
    const helped = capture();
    assert.equal(await command(["--help"], helped), 0);
    const help = helped.stdout;
    const host = capture();
    assert.ok(
      await command(
        [MODEL, ...other, ...(command === certifyCommand ? [...BOX, "--property", "lipschitz"] : [])],
        host,
      ) < 3,
    );
    for (const name of host.asked) assert.ok(help.includes(name), name);
    const unknown = capture();
    assert.equal(await command(["--nothing"], unknown), 3);
    const { supported } = problemIn(unknown) as unknown as { supported: string[] };
    for (const name of supported) assert.match(help, new RegExp(`^  ${name}\\b`, "m"));
  }
  const sources = ["certify_command", "verify_command", "engine", "question"].map((name) =>
    Deno.readTextFileSync(new URL(`../../functions/cli/${name}.ts`, import.meta.url))
  );
  for (const name of sources.join().match(/(?<=(?:get|has|listFrom|numberFrom|numbersFrom)\("?)--[a-z-]+/g)!) {
    assert.ok(CERTIFY_HELP.includes(`  ${name}`), name);
  }
  for (const name of ["lipschitz", "robustness", "monotonicity", "output_bounds", "jacobian_bounds", ".npy", "JSON"]) {
    assert.ok(CERTIFY_HELP.includes(name), name);
  }
});

Deno.test("certify: --threads changes no byte of the certificate, and takes whole numbers only", async () => {
  const question = [
    MODEL,
    "--center",
    HALF.join(),
    "--radius",
    "0.2",
    "--property",
    "lipschitz",
    "--max-nodes",
    "200",
    "--json",
  ];
  const [one, two, all] = [
    await run([...question, "--threads", "1"]),
    await run([...question, "--threads=2"]),
    await run(question),
  ];
  assert.equal(one.code, 0);
  assert.equal(two.host.stdout, one.host.stdout);
  assert.equal(all.host.stdout, one.host.stdout);
  for (const text of ["0", "1.5", "-1"]) {
    const { code, host } = await run([...question, "--threads", text]);
    assert.equal(code, 3, text);
    assert.equal(problemIn(host).type, "/problems/invalid-query");
  }
});
