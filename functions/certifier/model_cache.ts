/** Models that were read and are still at hand, by digest. */
import { type Model, readModel } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { RecentlyUsed } from "../recently_used.ts";
import type { ModelSource } from "../services.ts";

export class ModelCache {
  readonly #models: RecentlyUsed<Model>;

  /** A model may take what the cache holds: a product of a small file with many rows can be large in its dense form. */
  constructor(private readonly limitBytes: number) {
    this.#models = new RecentlyUsed(limitBytes, ({ bytes }) => bytes);
  }

  /** Throws `not-found` when nobody has the bytes, and what `readModel` throws. */
  async get(digest: string, source: ModelSource): Promise<Model> {
    const kept = this.#models.get(digest);
    if (kept !== null) return kept;
    const bytes = await source();
    if (bytes === null) throw new LipcertError("not-found", `Cannot find model ${digest}`, { what: "model" });
    return await this.read(digest, bytes);
  }

  async read(digest: string, bytes: Uint8Array): Promise<Model> {
    const model = await readModel(bytes, Math.floor(this.limitBytes / 8));
    if (model.digest !== digest) throw new Error(`model ${digest} was read as ${model.digest}`);
    this.#models.set(digest, model);
    return model;
  }

  drop(digest: string): void {
    this.#models.delete(digest);
  }
}
