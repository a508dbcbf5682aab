/** Where and in what state of the machine figures were taken. */

/** Above this load average the figures say more about the other programs. */
export const QUIET = 1.5;

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly deno: string;
  readonly v8: string;
  readonly revision: string;
}

export async function machine(): Promise<Machine> {
  const { stdout } = await new Deno.Command("git", {
    args: ["describe", "--always", "--dirty"],
    cwd: new URL(".", import.meta.url),
  }).output();
  return {
    processor: processor(),
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    revision: new TextDecoder().decode(stdout).trim(),
  };
}

function processor(): string {
  try {
    const line = /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"));
    return line ? line[1] : Deno.build.arch;
  } catch {
    return Deno.build.arch; // no /proc on this system
  }
}

/** The load average over one minute. */
export function load(): number {
  return Deno.loadavg()[0];
}

export function loadWarning(when: string, value: number): string {
  const said = `Load average ${when}: ${value.toFixed(2)}.`;
  return value < QUIET ? said : `${said} THE MACHINE IS BUSY: trust ratios of best times only.`;
}
