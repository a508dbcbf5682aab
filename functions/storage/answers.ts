/** Which certificate answers a question. */
import type { KeptCertificate } from "../services.ts";
import type { Blobs, Bytes, Records } from "./port.ts";
import { update } from "./update.ts";

export interface Answers {
  /** The id of the certificate that answers the question. */
  find(question: string): Promise<string | null>;
  /**
   * Makes a certificate the answer to its question unless it has a better one that is still kept, and hands back the id
   * of the one that answers from now on.
   */
  claim(certificate: KeptCertificate, isKept: (id: string) => Promise<boolean>): Promise<string>;
}

interface Indexed {
  readonly id: string;
  readonly reproducible: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nameOf = (question: string) => `answer/${question}`;

function readIndexed(bytes: Bytes): Indexed {
  return JSON.parse(decoder.decode(bytes)) as Indexed;
}

/** The first reproducible certificate answers; it takes the place of one that is not, and of one that was lost. */
export function recordedAnswers(records: Records): Answers {
  return {
    async find(question) {
      const found = await records.get(nameOf(question));
      return found === null ? null : readIndexed(found.bytes).id;
    },
    async claim({ id, question, reproducible }, isKept) {
      const mine = encoder.encode(JSON.stringify({ id, reproducible } satisfies Indexed));
      const there = await update(records, nameOf(question), async (current) => {
        if (current === null) return mine;
        const indexed = readIndexed(current);
        if (indexed.id === id) return null;
        const isBetter = reproducible && !indexed.reproducible;
        return isBetter || !await isKept(indexed.id) ? mine : null;
      });
      return readIndexed(there ?? mine).id;
    },
  };
}

/**
 * Without compare-and-set only reproducible certificates answer: all writers of one question have the same bytes then,
 * so that it does not matter who was last. Others are kept by their id.
 */
export function reproducibleAnswers(blobs: Blobs): Answers {
  async function find(question: string): Promise<string | null> {
    const found = await blobs.get(nameOf(question));
    return found === null ? null : decoder.decode(found);
  }

  return {
    find,
    async claim({ id, question, reproducible }, isKept) {
      const there = await find(question);
      if (there !== null && (there === id || await isKept(there))) return there;
      if (reproducible) await blobs.put(nameOf(question), encoder.encode(id));
      return id;
    },
  };
}
