/** The threads of `--threads`. */
import { LipcertError } from "../../shared/errors.ts";
import { createThread } from "../certifier/create_thread.ts";
import { searchThreads, type Threads } from "../certifier/threads.ts";
import type { Arguments, Option } from "./arguments.ts";
import type { CommandHost } from "./host.ts";
import { numberFrom } from "./numbers.ts";

export const THREADS_OPTION: Option = {
  name: "--threads",
  value: "COUNT",
  help: "threads of a search (default all cores): the answer does not depend on it",
};

/** To be closed. Throws: `invalid-query` unless a whole number is given. */
export function threadsFrom({ values }: Arguments, { cores }: Pick<CommandHost, "cores">): Threads {
  const text = values.get(THREADS_OPTION.name);
  const count = text === undefined ? cores : numberFrom(THREADS_OPTION.name, text);
  if (Number.isInteger(count) && count > 0) return searchThreads({ count, createWorker: createThread });
  throw new LipcertError("invalid-query", `Cannot read --threads: a positive whole number is needed, not ${text}`);
}
