/** The OpenAPI document of a host, and answers held against it. */
import assert from "node:assert/strict";
import { type Schema, Validator } from "@cfworker/json-schema";
import type { Host } from "./hosts.ts";

interface Content {
  readonly schema: Schema;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: { name: string; in: string; required?: boolean }[];
  readonly requestBody?: { content: Record<string, Content> };
  readonly responses: Record<string, { description: string; content?: Record<string, Content> }>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema> };
}

export async function documentOf(host: Host): Promise<OpenApi> {
  const response = await host.fetch("/openapi.json");
  assert.equal(response.headers.get("content-type"), "application/json");
  return await response.json() as OpenApi;
}

/** Checks an answer against what the document says of its status. */
export function contractOf(document: OpenApi, operation: Operation): (response: Response, text: string) => void {
  const validators = new Map<number, { validator: Validator; type: string }>();
  for (const [status, { content }] of Object.entries(operation.responses)) {
    const [entry] = Object.entries(content ?? {});
    if (entry === undefined) continue;
    const [type, { schema }] = entry;
    const whole = { ...schema, components: document.components } as Schema;
    validators.set(Number(status), { validator: new Validator(whole, "2020-12", false), type });
  }
  return (response, text) => {
    const wanted = validators.get(response.status);
    assert.ok(wanted !== undefined, `status ${response.status} is not in the document: ${text}`);
    assert.equal(response.headers.get("content-type"), wanted.type);
    const { valid, errors } = wanted.validator.validate(JSON.parse(text));
    assert.ok(valid, `${text}: ${JSON.stringify(errors)}`);
  };
}
