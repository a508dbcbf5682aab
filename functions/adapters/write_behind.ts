/**
 * A certificate store in front of a slower one: a new certificate is answered at once and written meanwhile.
 *
 * Why that is safe: a reproducible certificate that is lost with the process is computed again, byte for byte, under the
 * same id. Others are written before they are answered.
 */
import type { CertificateStore, FoundCertificate, KeptCertificate } from "../services.ts";

export interface WriteBehindStore extends CertificateStore {
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
}

/**
 * `limitBytes` bounds what waits; beyond it a certificate is written before it is answered. `failed` hears of every write
 * that did not succeed.
 */
export function writeBehind(
  store: CertificateStore,
  limitBytes: number,
  failed: (error: unknown) => void,
): WriteBehindStore {
  const byId = new Map<string, KeptCertificate>();
  const byQuestion = new Map<string, FoundCertificate>();
  const writing = new Set<Promise<void>>();
  let bytes = 0;

  async function write(certificate: KeptCertificate): Promise<void> {
    try {
      await store.put(certificate);
    } catch (error) {
      failed(error);
    } finally {
      byId.delete(certificate.id);
      byQuestion.delete(certificate.question);
      bytes -= certificate.bytes.length;
    }
  }

  return {
    get: async (id) => byId.get(id)?.bytes ?? await store.get(id),
    findByQuestion: async (question) => byQuestion.get(question) ?? await store.findByQuestion(question),
    async put(certificate) {
      const { id, question, reproducible } = certificate;
      const isAnswered = await store.findByQuestion(question) !== null;
      const waiting = byQuestion.get(question);
      if (waiting?.id === id) return waiting;
      const hasRoom = bytes + certificate.bytes.length <= limitBytes;
      if (!reproducible || isAnswered || waiting !== undefined || !hasRoom) {
        await settled();
        return await store.put(certificate);
      }
      byId.set(id, certificate);
      byQuestion.set(question, { id, bytes: certificate.bytes });
      bytes += certificate.bytes.length;
      const written: Promise<void> = write(certificate).finally(() => writing.delete(written));
      writing.add(written);
      return { id, bytes: certificate.bytes };
    },
    settled,
  };

  async function settled(): Promise<void> {
    while (writing.size > 0) await Promise.all(writing);
  }
}
