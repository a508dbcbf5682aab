/** A model in a body: by digest or as bytes. */
import { invalidQuery } from "../../shared/errors.ts";
import { digestOf, type ModelDescription } from "../../shared/mod.ts";
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

export interface NewModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly description: ModelDescription;
}

/**
 * Reads a model that came as bytes and is not kept here (and checks it against another runtime where there is one);
 * null when there is nothing to read.
 */
export async function readNewModel(
  { models, certifier }: Pick<Services, "models" | "certifier">,
  { digest, bytes }: GivenModel,
  signal: AbortSignal,
): Promise<NewModel | null> {
  if (bytes === null || await models.describe(digest) !== null) return null;
  return { bytes, description: await certifier.describe(digest, bytes, signal) };
}
