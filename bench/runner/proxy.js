// @ts-check
/** A way to a port of loopback that can be cut. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @param {number} port */
export async function startProxy(port) {
  /** @type {Set<import("node:net").Socket>} */
  const ends = new Set();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of /** @type {const} */ ([
      [near, far],
      [far, near],
    ])) {
      ends.add(from);
      from.setNoDelay(true);
      from.on("data", (chunk) => to.write(chunk));
      from.on("error", () => {});
      from.on("close", () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("unreachable");
  return {
    port: address.port,
    /** Resets both ends of every link. New ones work. */
    cut() {
      for (const end of ends) end.resetAndDestroy();
    },
    close() {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}
