/** The log through LogTape: one JSON line for each request. */
import { configureSync, getJsonLinesFormatter, getLogger, type Sink } from "@logtape/logtape";
import { describeFailure } from "../http/problem.ts";
import type { Log } from "../services.ts";

/** Lines go to `write`, which must not block: answers wait for it. */
export function logtapeLog(write: (line: string) => void): Log {
  const format = getJsonLinesFormatter({ properties: "flatten" });
  const sink: Sink = (record) => write(format(record));
  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      { category: ["lipcert"], lowestLevel: "info", sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
  const requests = getLogger(["lipcert", "request"]);
  const service = getLogger(["lipcert", "service"]);
  return {
    request(record) {
      const properties = { ...record };
      if (record.error === undefined) requests.info("request", properties);
      else requests.error("request", properties);
    },
    note(what, about) {
      service.info(what, { ...about });
    },
    failure(what, error) {
      service.error(what, { error: describeFailure(error) });
    },
  };
}
