/** `deno task node`: a node over Redis, for callers and for the hosts before it. */
import { openNodeHost } from "./entry_node.ts";
import { serve } from "./serve.ts";
import { addressFrom } from "./settings.ts";

const environment = (name: string) => Deno.env.get(name);
const address = addressFrom(environment);
await serve(await openNodeHost(environment), address, "lipcert node");
