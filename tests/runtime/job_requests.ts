/** Requests about jobs, and a question whose search takes some seconds and whose answer is known. */
import assert from "node:assert/strict";
import { type LipschitzCase, readCases } from "../golden/cases.ts";
import type { Host } from "./hosts.ts";
import { type Description, type Issued, postJson, postModel } from "./requests.ts";

const RADIUS = 0.2;

const DIABETES = await Deno.readFile(new URL("../models/reference/diabetes_mlp.onnx", import.meta.url));
const { cases } = await readCases<LipschitzCase>("lipschitz", "diabetes_mlp");
const center = cases[0].input as readonly number[];

/** The constant of {@link longQuestion} as the whole search proves it, in as many digits as the README states. */
export const EXACT = 9.7374;
export const EXACT_TO = 5e-5;

/** Tens of thousands of nodes until it is exact; `max_nodes` makes it as long as is wanted. */
export async function longQuestion(host: Host, max_nodes = 1_000_000): Promise<unknown> {
  const kept = await host.fetch("/v1/models", postModel(DIABETES));
  const { digest } = await kept.json() as Description;
  return {
    model: { digest },
    region: { center, radius: RADIUS, clip: [0, 1] },
    property: { type: "lipschitz" },
    options: { search: { max_nodes } },
  };
}

/** The same about a larger box: 3,000 nodes take some seconds, and leave more than a thousand open. */
export async function openQuestion(host: Host, max_nodes = 1_000_000): Promise<{ region: Record<string, unknown> }> {
  const question = await longQuestion(host, max_nodes) as { region: Record<string, unknown> };
  return { ...question, region: { ...question.region, radius: 0.5 } };
}

export interface JobBody {
  readonly id: string;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "canceled";
  readonly progress: { nodes: number; open: number; upper: number; lower: number; elapsed_ms: number } | null;
  readonly certificate_id?: string;
  readonly problem?: { readonly type: string };
  readonly links: Record<string, string>;
}

/** Asks with headers. */
export function asked(host: Host, body: unknown, headers: Record<string, string>): Promise<Response> {
  const init = postJson(body);
  return host.fetch("/v1/certify", { ...init, headers: { ...init.headers as Record<string, string>, ...headers } });
}

/** Asks for a job and expects one. */
export async function submitted(host: Host, body: unknown, more: Record<string, string> = {}): Promise<JobBody> {
  const response = await asked(host, body, { prefer: "respond-async", ...more });
  const text = await response.text();
  assert.equal(response.status, 202, text);
  const job = JSON.parse(text) as JobBody;
  assert.equal(response.headers.get("location"), `/v1/jobs/${job.id}`);
  assert.match(response.headers.get("preference-applied") ?? "", /respond-async/);
  return job;
}

export async function jobAt(host: Host, id: string): Promise<JobBody> {
  const response = await host.fetch(`/v1/jobs/${id}`);
  assert.equal(response.status, 200);
  return await response.json() as JobBody;
}

export async function canceled(host: Host, id: string): Promise<JobBody> {
  const response = await host.fetch(`/v1/jobs/${id}/cancel`, { method: "POST" });
  assert.ok(response.status === 200 || response.status === 202, `status ${response.status}`);
  return await response.json() as JobBody;
}

export async function certificateAt(host: Host, id: string): Promise<{ text: string; certificate: Issued }> {
  const response = await host.fetch(`/v1/certificates/${id}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { text, certificate: JSON.parse(text) as Issued };
}

export interface SentEvent {
  readonly id: number;
  readonly event: string;
  readonly data: JobBody;
}

/** The events of a job, as a client reads them; leaving the loop closes the connection. */
export async function* events(host: Host, id: string, last?: number): AsyncGenerator<SentEvent> {
  const left = new AbortController();
  const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": String(last) };
  const response = await host.fetch(`/v1/jobs/${id}/events`, { headers, signal: left.signal });
  try {
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]));
        if (!fields.has("data")) continue;
        const data = JSON.parse(fields.get("data")!) as JobBody;
        yield { id: Number(fields.get("id")), event: fields.get("event")!, data };
      }
    }
  } finally {
    left.abort();
  }
}

/** The job when it has ended. */
export async function endOf(host: Host, id: string): Promise<JobBody> {
  for await (const { event, data } of events(host, id)) if (event !== "progress") return data;
  return await jobAt(host, id);
}
