/** Swagger UI's files out of the static assets bound to a Cloudflare Worker (`[assets]` in wrangler.toml). */
import type { Fetcher } from "@cloudflare/workers-types";
import type { Assets } from "../services.ts";

export function boundAssets(binding: Pick<Fetcher, "fetch">): Assets {
  return {
    async read(name) {
      const response = await binding.fetch(`https://assets.local/${name}`);
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
    },
  };
}
