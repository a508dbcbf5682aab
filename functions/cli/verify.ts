/** `deno task verify`. */
import { verifyCommand } from "./verify_command.ts";
import { denoHost } from "./host.ts";

Deno.exit(await verifyCommand(Deno.args, denoHost()));
