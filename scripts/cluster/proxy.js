/** A TCP link that can fail: its packets are lost, in both directions, and nobody is told. */
import { createConnection, createServer } from "node:net";

/**
 * @param {number} port where it listens
 * @param {number} to where it leads
 * @param {string} [host] on which it listens
 */
export async function startLink(port, to, host = "127.0.0.1") {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let target = to;
  let isLost = false;
  const server = createServer((near) => {
    const far = createConnection(target, "127.0.0.1");
    for (const [from, into] of /** @type {const} */ ([
      [near, far],
      [far, near],
    ])) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (chunk) => {
        if (!isLost) into.write(chunk);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        // the other end is told nothing while the link is lost
        if (!isLost) into.destroy();
      });
    }
  });
  await new Promise((resolve) => {
    server.listen(port, host, () => resolve(undefined));
  });
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    /** Nothing arrives any more; links that are opened meanwhile carry nothing either. */
    lose() {
      isLost = true;
    },
    /** It carries again. What was lost is lost, so that links that were open meanwhile end. */
    restore() {
      isLost = false;
      end();
    },
    /** Leads elsewhere from now on; links that are open end. @param {number} other */
    lead(other) {
      target = other;
      end();
    },
    async stop() {
      end();
      server.close();
    },
  };
}
