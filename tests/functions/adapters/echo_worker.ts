/** Sends back what it hears. */
const scope = self as unknown as { onmessage: (event: MessageEvent) => void; postMessage(message: unknown): void };

scope.onmessage = ({ data }) => scope.postMessage(data);
