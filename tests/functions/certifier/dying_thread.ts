/** A thread that takes a node and ends. */
import type { ToThread } from "../../../functions/certifier/thread_messages.ts";

const scope = self as unknown as { onmessage: (event: MessageEvent<ToThread>) => void };

scope.onmessage = ({ data }) => {
  if (data.kind !== "round") return;
  Atomics.add(data.next, 0, 1);
  throw new Error("no more");
};
