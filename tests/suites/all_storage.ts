/** The whole contract of a backend: its ports, and the stores above them. */
import { certificatesIn } from "../../functions/storage/certificates.ts";
import { modelsIn } from "../../functions/storage/models.ts";
import type { Records, Storage } from "../../functions/storage/port.ts";
import { blobsSuite } from "./blobs.ts";
import { recordsSuite } from "./records.ts";
import type { Backend, Opened } from "./storage.ts";
import { certificateStoreSuite, modelStoreSuite } from "./stores.ts";

export interface StorageBackend extends Backend {
  readonly hasRecords: boolean;
  open(): Promise<Opened<Storage>>;
}

export function storageSuite(backend: StorageBackend): void {
  const part = <T>(choose: (storage: Storage) => T) => async (): Promise<Opened<T>> => {
    const opened = await backend.open();
    return { ...opened, clients: opened.clients.map(choose) };
  };
  const store = <T>(choose: (storage: Storage) => T) => async () => {
    const { clients, close } = await backend.open();
    return { store: choose(clients[0]), close };
  };

  blobsSuite({ ...backend, open: part(({ blobs }) => blobs) });
  if (backend.hasRecords) recordsSuite({ ...backend, open: part(({ records }) => records as Records) });
  certificateStoreSuite({ ...backend, open: store(certificatesIn) }, backend.hasRecords);
  modelStoreSuite({ ...backend, open: store(modelsIn) });
}
