/** What Linux says of a process: its descendants, memory, start. Throws where there is no /proc. */

const TICKS_PER_SECOND = 100; // USER_HZ: fixed on Linux

/** Fields of /proc/PID/stat from the third on (state, parent, …); the second, the name, may hold blanks. */
function stat(pid: number): { readonly name: string; readonly fields: readonly string[] } {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const end = text.lastIndexOf(")");
  return { name: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
}

/** The processes of that name below `ancestor`; at least one. */
export function descendantsNamed(ancestor: number, name: string): number[] {
  const parents = new Map<number, number>(), named: number[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid)) continue;
    try {
      const { name: own, fields } = stat(pid);
      parents.set(pid, Number(fields[1]));
      if (own === name) named.push(pid);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it ended meanwhile
    }
  }
  const below = named.filter((pid) => {
    for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (at === ancestor) return true;
    return false;
  });
  if (below.length === 0) throw new Error(`Cannot find a process named ${name}`);
  return below;
}

/** Resident bytes now and at most. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)![1]);
  return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** When a process started, in milliseconds of `Date.now()`, to 10 ms. */
export function startedAt(pid: number): number {
  const sinceBoot = Number(stat(pid).fields[19]) / TICKS_PER_SECOND;
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  return Date.now() - 1000 * (uptime - sinceBoot);
}
