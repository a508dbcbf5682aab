/** Certificates as blobs by their id, with an index of the questions they answer. */
import type { CertificateStore, FoundCertificate } from "../services.ts";
import { type Answers, recordedAnswers, reproducibleAnswers } from "./answers.ts";
import type { Blobs, Storage } from "./port.ts";

export function certificatesIn({ blobs, records }: Storage): CertificateStore {
  return keptCertificates(blobs, records === null ? reproducibleAnswers(blobs) : recordedAnswers(records));
}

function keptCertificates(blobs: Blobs, answers: Answers): CertificateStore {
  const nameOf = (id: string) => `certificate/${id}`;

  async function findByQuestion(question: string): Promise<FoundCertificate | null> {
    const id = await answers.find(question);
    const bytes = id === null ? null : await blobs.get(nameOf(id));
    return id === null || bytes === null ? null : { id, bytes };
  }

  return {
    get: (id) => blobs.get(nameOf(id)),
    findByQuestion,
    async put(certificate) {
      const { id, question, bytes } = certificate;
      await blobs.put(nameOf(id), bytes);
      if (certificate.interrupted) return { id, bytes };
      const answer = await answers.claim(certificate, (other) => blobs.has(nameOf(other)));
      return answer === id ? { id, bytes } : await findByQuestion(question) ?? { id, bytes };
    },
  };
}
