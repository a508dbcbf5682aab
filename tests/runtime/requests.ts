/** Requests that the scenes share. */
import assert from "node:assert/strict";
import { type LipschitzCase, readCases } from "../golden/cases.ts";
import type { Host } from "./hosts.ts";

export const MODEL = await Deno.readFile(new URL("../../functions/samples/mlp16.onnx", import.meta.url));
/** conv, relu, conv, relu, dense over 1x28x28, ten outputs. */
export const CONVOLUTIONAL = await Deno.readFile(
  new URL("../models/reference/mnist_cnn_small.onnx", import.meta.url),
);
const { cases } = await readCases<LipschitzCase>("lipschitz", "mnist_cnn_small");
/** The stored image that other tools were asked about. */
export const IMAGE = cases[0].input as readonly number[];

export const REGION = { center: new Array<number>(16).fill(0.1), radius: 0.05 };

export interface Description {
  readonly digest: string;
}

export interface Issued {
  readonly id: string;
  readonly question: string;
  readonly verdict: string;
  readonly query: {
    property: { type: string } & Record<string, unknown>;
    output: string;
    options: Record<string, unknown>;
  };
  readonly finding: { type: string } & Record<string, unknown>;
  readonly method: { readonly search: Record<string, unknown> };
  readonly arithmetic: { readonly kind: string };
  readonly reproducible: boolean;
}

export interface ProblemBody {
  readonly type: string;
  readonly status: number;
  readonly instance: string;
  readonly request_id: string;
  readonly errors?: { pointer: string; message: string }[];
}

export function postJson(body: unknown): RequestInit {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method: "POST", headers: { "content-type": "application/json" }, body: text };
}

export function postModel(bytes: Uint8Array<ArrayBuffer>): RequestInit {
  return { method: "POST", headers: { "content-type": "application/octet-stream" }, body: bytes };
}

/** The parts as bytes: the harness of workerd knows no `FormData` but its own. */
export async function postForm(parts: Record<string, string | Blob>): Promise<RequestInit> {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) form.append(name, part);
  const encoded = new Response(form);
  const headers = { "content-type": encoded.headers.get("content-type") ?? "" };
  return { method: "POST", headers, body: await encoded.arrayBuffer() };
}

/** Keeps the sample model and returns its digest. */
export async function keepModel(host: Host): Promise<string> {
  const response = await host.fetch("/v1/models", postModel(MODEL));
  assert.ok(response.ok, `status ${response.status}`);
  return (await response.json() as Description).digest;
}

/** Asks and expects a certificate. */
export async function ask(
  host: Host,
  body: unknown,
): Promise<{ text: string; certificate: Issued; response: Response }> {
  const response = await host.fetch("/v1/certify", postJson(body));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { text, certificate: JSON.parse(text) as Issued, response };
}

export interface Report {
  readonly valid: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** Has a certificate checked and expects a report. */
export async function verify(host: Host, body: unknown): Promise<Report> {
  const response = await host.fetch("/v1/certificates/verify", postJson(body));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Report;
}

/** Expects a problem of this type and returns it. */
export async function expectProblem(response: Response, type: string, status: number): Promise<ProblemBody> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = JSON.parse(text) as ProblemBody;
  assert.equal(body.type, `/problems/${type}`, text);
  assert.equal(body.status, status);
  assert.equal(body.request_id, response.headers.get("x-request-id"));
  return body;
}
