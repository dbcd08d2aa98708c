// @ts-check
import { Pacer } from "./pacer.js";

/** y-protocols renews a state that is as old as this; our client says as often that its page lives. */
const RENEW_S = 15;

/**
 * Has those clients that are open do what they do every 15 s though nothing changes, one after another. A server that
 * waits for it would take them for gone without.
 *
 * @param {readonly import("./connection.js").Connection[]} connections
 */
export function startRenewals(connections) {
  const pacer = new Pacer(connections.length / RENEW_S, (turn) => {
    const connection = connections[turn % connections.length];
    if (connection?.isOpen === true) connection.renew();
  });
  pacer.start();
  return pacer;
}
