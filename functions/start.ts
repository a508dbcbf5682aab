/** `deno task start`: a host of its own. */
import { openDenoHost } from "./entry_deno.ts";
import { serve } from "./serve.ts";
import { addressFrom } from "./settings.ts";

const environment = (name: string) => Deno.env.get(name);
const address = addressFrom(environment);
await serve(await openDenoHost(environment), address, "lipcert");
