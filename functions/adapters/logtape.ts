/** The log through LogTape: one JSON line for each request. */
import { configureSync, getJsonLinesFormatter, getLogger, type Sink } from "@logtape/logtape";
import type { Log } from "../services.ts";

const CATEGORY = ["lipcert", "request"];

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
  const logger = getLogger(CATEGORY);
  return {
    request(record) {
      const properties = { ...record };
      if (record.error === undefined) logger.info("request", properties);
      else logger.error("request", properties);
    },
  };
}
