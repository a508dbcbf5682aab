/** Processes over a store in memory, with a clock that is moved by hand. */
import { type RecordedJobs, recordedJobs, type RecordedJobsSettings } from "../../../functions/jobs/recorded.ts";
import type { JobQueue, Jobs } from "../../../functions/services.ts";
import { type House, LEASE_MS, MOST_JOBS } from "../../suites/jobs.ts";
import { type FakeStore, fakeStore } from "./fake_records.ts";

export interface FakeHouse extends House {
  readonly store: FakeStore;
  time: number;
  open(more?: Partial<RecordedJobsSettings>): Jobs & JobQueue;
}

/** `deliver`: what is put over the jobs of a process; `passed`: what happens when time has gone by. */
export function fakeHouse(
  deliver: (jobs: RecordedJobs, it: FakeHouse) => Jobs & JobQueue = (jobs) => jobs,
  passed: () => Promise<void> = () => Promise.resolve(),
): FakeHouse {
  const store = fakeStore();
  const it: FakeHouse = {
    store,
    told: [],
    failures: [],
    time: 0,
    refuses: false,
    get isDown() {
      return store.isDown;
    },
    set isDown(isDown) {
      store.isDown = isDown;
    },
    open: (more) =>
      deliver(
        recordedJobs({
          ...store,
          now: () => it.time,
          notifier: {
            refusal: () => null,
            notify(event, urls) {
              if (it.refuses) return Promise.reject(new Error("refused"));
              it.told.push({ event, urls });
              return Promise.resolve();
            },
          },
          failed: (_, error) => void it.failures.push(error),
          leaseMs: LEASE_MS,
          pollMs: 5,
          takeMs: 5,
          mostJobs: MOST_JOBS,
          closing: new AbortController().signal,
          ...more,
        }),
        it,
      ),
    async pass(ms) {
      it.time += ms;
      await passed();
    },
    close: () => Promise.resolve(),
  };
  return it;
}
