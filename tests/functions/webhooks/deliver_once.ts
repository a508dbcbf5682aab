/** A program that makes one delivery with the runtime's own roots: `deliver_once.ts URL NETWORK`; prints the attempt. */
import { deliver } from "../../../functions/webhooks/deliver.ts";
import { parseNetwork } from "../../../functions/webhooks/ip.ts";
import { systemResolve } from "../../../functions/webhooks/resolve.ts";
import { pinnedSend } from "../../../functions/webhooks/send_pinned.ts";

const [url, network] = Deno.args;
const delivery = { id: "msg_1", url, body: "{}", keys: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] };
const attempt = await deliver(delivery, {
  rules: { http: false, networks: [parseNetwork(network)] },
  resolve: systemResolve(),
  send: pinnedSend(),
  now: Date.now,
});
console.log(JSON.stringify(attempt));
