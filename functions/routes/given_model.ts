/** A model in a body: by digest or as bytes. */
import { invalidQuery, LipcertError } from "../../shared/errors.ts";
import type { ModelDescription } from "../../shared/mod.ts";
import { digestOf } from "../certifier/digest.ts";
import type { ModelReference } from "../schemas/question.ts";
import type { Services } from "../services.ts";

export interface GivenModel {
  readonly digest: string;
  /** Null: only its digest was given. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

/** Throws `invalid-query` at `pointer` when the bytes are not base64. */
export async function givenModel(reference: ModelReference, pointer: string): Promise<GivenModel> {
  if ("digest" in reference) return { digest: reference.digest, bytes: null };
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(reference.onnx);
  } catch {
    throw invalidQuery(`${pointer}/onnx`, "the text is not base64");
  }
  return { digest: await digestOf(bytes), bytes };
}

export interface ReadableModel {
  readonly description: ModelDescription;
  /** It came in this body and is not kept yet. */
  readonly isNew: boolean;
}

/** The model's description; a new model is read (and checked against another runtime where there is one). */
export async function readable(
  { models, certifier }: Pick<Services, "models" | "certifier">,
  { digest, bytes }: GivenModel,
  signal: AbortSignal,
): Promise<ReadableModel> {
  const kept = await models.describe(digest);
  if (kept !== null) return { description: kept, isNew: false };
  if (bytes === null) throw new LipcertError("not-found", `Cannot find model ${digest}`, { what: "model" });
  return { description: await certifier.describe(digest, bytes, signal), isNew: true };
}
