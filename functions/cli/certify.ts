/** `deno task certify`. */
import { certifyCommand } from "./certify_command.ts";
import { denoHost } from "./host.ts";

Deno.exit(await certifyCommand(Deno.args, denoHost()));
