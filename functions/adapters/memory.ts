/** Both stores in memory, bounded: what was not used for longest is forgotten first. */
import type { ModelDescription } from "../../shared/mod.ts";
import type { CertificateStore, FoundCertificate, KeptCertificate, ModelStore } from "../services.ts";
import { RecentlyUsed } from "../recently_used.ts";

/** Bytes an entry takes beside its content. */
const OVERHEAD = 512;

export function memoryCertificates(limitBytes: number): CertificateStore {
  const byQuestion = new Map<string, { id: string; reproducible: boolean }>();
  const byId = new RecentlyUsed<KeptCertificate>(
    limitBytes,
    ({ bytes }) => bytes.length + OVERHEAD,
    ({ id, question }) => {
      if (byQuestion.get(question)?.id === id) byQuestion.delete(question);
    },
  );

  function find(question: string): FoundCertificate | null {
    const indexed = byQuestion.get(question);
    const kept = indexed === undefined ? null : byId.get(indexed.id);
    return kept === null ? null : { id: kept.id, bytes: kept.bytes };
  }

  return {
    get: (id) => Promise.resolve(byId.get(id)?.bytes ?? null),
    findByQuestion: (question) => Promise.resolve(find(question)),
    put(certificate) {
      const { id, question, reproducible } = certificate;
      byId.set(id, certificate);
      if (certificate.interrupted) return Promise.resolve({ id, bytes: certificate.bytes });
      const indexed = byQuestion.get(question);
      if (indexed === undefined || (reproducible && !indexed.reproducible)) {
        byQuestion.set(question, { id, reproducible });
      }
      return Promise.resolve(find(question) ?? { id, bytes: certificate.bytes });
    },
  };
}

export function memoryModels(limitBytes: number): ModelStore {
  const models = new RecentlyUsed<{ bytes: Uint8Array<ArrayBuffer>; description: ModelDescription }>(
    limitBytes,
    ({ bytes }) => bytes.length + OVERHEAD,
  );
  return {
    describe: (digest) => Promise.resolve(models.get(digest)?.description ?? null),
    bytes: (digest) => Promise.resolve(models.get(digest)?.bytes ?? null),
    put(digest, bytes, description) {
      models.set(digest, { bytes, description });
      return Promise.resolve();
    },
  };
}
