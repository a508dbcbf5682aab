/** Models as blobs: the file, then its description, which makes it known. */
import type { ModelDescription } from "../../shared/mod.ts";
import type { ModelStore } from "../services.ts";
import type { Storage } from "./port.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function modelsIn({ blobs }: Pick<Storage, "blobs">): ModelStore {
  const nameOfFile = (digest: string) => `model/${digest}`;
  const nameOfDescription = (digest: string) => `model_description/${digest}`;
  return {
    /** A backend may have lost the file and not its description: then the model is not known. */
    async describe(digest) {
      const [description, hasFile] = await Promise.all([
        blobs.get(nameOfDescription(digest)),
        blobs.has(nameOfFile(digest)),
      ]);
      return description === null || !hasFile ? null : JSON.parse(decoder.decode(description)) as ModelDescription;
    },
    bytes: (digest) => blobs.get(nameOfFile(digest)),
    async put(digest, bytes, description) {
      await blobs.put(nameOfFile(digest), bytes);
      await blobs.put(nameOfDescription(digest), encoder.encode(JSON.stringify(description)));
    },
  };
}
