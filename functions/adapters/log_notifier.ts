/** A notifier for hosts that call nobody: the end of a job is a line of the log. */
import type { Log, Notifier } from "../services.ts";
import { PUBLIC_ONLY, targetOf } from "../webhooks/target.ts";

export function logNotifier(log: Pick<Log, "note">): Notifier {
  return {
    refusal(url) {
      const target = targetOf(url, PUBLIC_ONLY);
      return "refused" in target ? target.refused : null;
    },
    notify({ type, job_id, certificate_id, problem }, urls) {
      const about = { type, job_id, certificate_id, problem: problem?.type ?? null, callbacks: urls.length };
      log.note("a job has ended", about);
      return Promise.resolve();
    },
  };
}
