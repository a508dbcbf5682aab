/** The bodies of callbacks keep to their schemas. */
import assert from "node:assert/strict";
import { Event } from "../../../functions/schemas/events.ts";
import { certificateIssued, jobCanceled, jobFailed } from "../../../functions/webhooks/event.ts";

const JOB = `sha256:${"1".repeat(64)}`;
const CERTIFICATE = `sha256:${"2".repeat(64)}`;
const AT = Date.UTC(2026, 10, 24, 12, 0, 0, 7);

const PROBLEM = { type: "/problems/over-budget", title: "Over budget", status: 422, detail: "…", allowed_gflop: 200 };

const EVENTS = [
  certificateIssued(JOB, { id: CERTIFICATE, verdict: "unknown", reproducible: false }, AT),
  jobFailed(JOB, PROBLEM, AT),
  jobCanceled(JOB, null, AT),
  jobCanceled(JOB, CERTIFICATE, AT),
];

Deno.test("events are what their schema says, name the job and fit into a callback", () => {
  for (const event of EVENTS) {
    const text = JSON.stringify(event);
    assert.deepEqual(Event.parse(JSON.parse(text)), event);
    assert.equal(event.timestamp, "2026-11-24T12:00:00.007Z");
    assert.equal(event.data.job_id, JOB);
    assert.equal(event.data.links.job, `/v1/jobs/${JOB}`);
    assert.ok(text.length < 20_000); // the standard's advice
  }
  assert.deepEqual(EVENTS.map(({ type }) => type), [
    "certificate.issued",
    "job.failed",
    "job.canceled",
    "job.canceled",
  ]);
  const [issued, failed, canceled, bounded] = EVENTS;
  assert.equal(issued.data.links.certificate, `/v1/certificates/${CERTIFICATE}`);
  assert.deepEqual("problem" in failed.data && failed.data.problem, PROBLEM);
  assert.ok(!("certificate_id" in canceled.data));
  assert.equal(bounded.data.links.certificate, issued.data.links.certificate);
});

Deno.test("the schema of events refuses other types, members and times", () => {
  const [issued] = EVENTS;
  const wrong = [
    { ...issued, type: "certificate.revoked" },
    { ...issued, type: "job.failed" },
    { ...issued, timestamp: "2026-11-24 12:00" },
    { ...issued, timestamp: undefined },
    { ...issued, extra: 1 },
    { ...issued, data: { ...issued.data, extra: 1 } },
    { ...issued, data: { ...issued.data, job_id: "1" } },
    { ...issued, data: { ...issued.data, verdict: "perhaps" } },
  ];
  for (const event of wrong) assert.equal(Event.safeParse(event).success, false, JSON.stringify(event));
});
