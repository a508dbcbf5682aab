/** Commands as they come in a body, and which of them go to Redis. */

/** A command's name and its arguments. */
export type Command = readonly [string, ...string[]];

/** What is answered instead of a reply: `{"error": …}` with this status. */
export class FrontError extends Error {
  readonly status: 400 | 413 | 503;

  constructor(status: FrontError["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** Throws `FrontError` unless the value is an array of text, numbers and truth values that begins with text. */
export function readCommand(value: unknown): Command {
  const isPlain = (item: unknown) => ["string", "number", "boolean"].includes(typeof item);
  if (!Array.isArray(value) || typeof value[0] !== "string" || !value.every(isPlain)) {
    throw new FrontError(400, "ERR failed to parse command: it is an array of strings and numbers");
  }
  const [name, ...args] = value.map(String);
  return [name, ...(name.toLowerCase() === "eval" ? withoutFlags(args) : args)];
}

/** Scripts of Upstash's own packages begin with a line that its server reads and that Redis 7 refuses. */
function withoutFlags([script, ...rest]: string[]): string[] {
  return script === undefined ? [] : [script.replace(/^#!lua flags=allow-key-locking\s*\n/, ""), ...rest];
}

/**
 * Redis's own categories of what is not for the many users of one connection: it would change the connection, wait on
 * it, or act on the whole server. `KEYS` and `FLUSHALL` are among the dangerous ones.
 */
const REFUSED = ["@admin", "@blocking", "@connection", "@dangerous", "@pubsub", "@transaction"];
/** Of the connection's commands, those that leave it as it is. */
const HARMLESS = ["ping", "echo"];

/** A row of the reply to `COMMAND`: name, arity, flags, three positions, categories, tips, key specifications, subcommands. */
type Row = readonly [string, number, unknown, number, number, number, readonly string[], unknown?, unknown?, Row[]?];

/** The names that are passed on, `config|get` for a subcommand, from what the server says of its commands. */
export function allowedCommands(rows: readonly Row[]): ReadonlySet<string> {
  const allowed = new Set<string>();
  for (const row of rows) {
    const [name, categories, subcommands] = [row[0], row[6], row[9] ?? []];
    if (HARMLESS.includes(name) || !categories.some((category) => REFUSED.includes(category))) allowed.add(name);
    for (const sub of allowedCommands(subcommands)) allowed.add(sub);
    if (subcommands.length > 0) allowed.delete(name);
  }
  return allowed;
}

/** Throws `FrontError` for a command that is not passed on. */
export function checkAllowed([name, sub]: Command, allowed: ReadonlySet<string>): void {
  const lower = name.toLowerCase();
  if (allowed.has(lower) || (sub !== undefined && allowed.has(`${lower}|${sub.toLowerCase()}`))) return;
  throw new FrontError(400, `ERR Command is not available: '${name.slice(0, 64)}'`);
}
