/** A DNS server on loopback whose answers are the test's: by the name, and by how often it was asked. */
import { createSocket } from "node:dgram";
import { parseIp } from "../../../functions/webhooks/ip.ts";

/** The addresses of a name at the n-th question for the type, `"silent"` for no answer, `"fail"` for SERVFAIL. */
export type Zone = (name: string, type: "A" | "AAAA", asked: number) => readonly string[] | "silent" | "fail";

export interface NameServer extends AsyncDisposable {
  readonly at: { readonly ipAddr: string; readonly port: number };
  /** `type name` of every question. */
  readonly questions: readonly string[];
}

const TYPES: Readonly<Record<number, "A" | "AAAA">> = { 1: "A", 28: "AAAA" };

/** The answer to a question, or null. Records are preceded by an alias, as they often are. */
export function answerTo(question: Uint8Array, zone: Zone, questions: string[]): Uint8Array<ArrayBuffer> | null {
  const labels: string[] = [];
  let at = 12;
  for (; question[at] !== 0; at += question[at] + 1) {
    labels.push(new TextDecoder().decode(question.subarray(at + 1, at + 1 + question[at])));
  }
  const name = labels.join(".");
  const type = TYPES[question[at + 2]];
  const asked = questions.filter((line) => line === `${type} ${name}`).length;
  questions.push(`${type} ${name}`);
  const found = zone(name, type, asked);
  if (found === "silent") return null;
  const addresses = found === "fail" ? [] : found.map((address) => parseIp(address)!);
  const alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 8, 5, ...new TextEncoder().encode("alias"), 0xc0, 12];
  const aliasAt = at + 5 + 12;
  const records = addresses.map((ip) => [0xc0, aliasAt, 0, question[at + 2], 0, 1, 0, 0, 0, 0, 0, ip.length, ...ip]);
  return new Uint8Array([
    ...question.subarray(0, 2),
    ...[0x81, found === "fail" ? 0x82 : 0x80, 0, 1, 0, records.length === 0 ? 0 : records.length + 1, 0, 0, 0, 0],
    ...question.subarray(12, at + 5),
    ...(records.length === 0 ? [] : [...alias, ...records.flat()]),
  ]);
}

export async function nameServer(zone: Zone): Promise<NameServer> {
  const questions: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (question: Uint8Array, from: { port: number; address: string }) => {
    const answer = answerTo(question, zone, questions);
    if (answer !== null) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    at: { ipAddr: "127.0.0.1", port: socket.address().port },
    questions,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}
