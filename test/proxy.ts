/** A link that fails: a TCP proxy on loopback. */
import { type Socket, createConnection, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface TcpProxy {
  readonly url: string;
  /** Bytes that it has carried, both ways. */
  readonly carried: number;
  /** Links that are open. */
  readonly links: number;
  /**
   * The links that are open carry nothing any more, and nobody is told: both ends are half-open.
   *
   * @param forever new ones carry nothing either; else they work
   */
  blackHole(forever?: boolean): void;
  /** Carries no more than so many bytes a second, each way of each link. */
  slow(bytesPerSecond: number): void;
  /** Ends all links without a close frame, and takes new ones only while it is `up`. */
  cut(up?: boolean): void;
  /** Takes new links again. */
  restore(): void;
  /** Leads new links to another port, as a load balancer does when a server is gone. */
  leadTo(port: number): void;
}

/** A way to a port of loopback; ended with the test. */
export async function tcpProxy(port: number): Promise<TcpProxy> {
  interface Link {
    readonly ends: readonly [Socket, Socket];
    dead: boolean;
  }
  const links = new Set<Link>();
  let carried = 0;
  let target = port;
  let open = true;
  let bytesPerMs = Infinity;
  let lost = false;

  const join = (link: Link, from: Socket, to: Socket): void => {
    from.on("data", (chunk: Buffer) => {
      if (link.dead) return;
      carried += chunk.length;
      to.write(chunk);
      if (bytesPerMs === Infinity) return;
      from.pause();
      setTimeout(() => from.resume(), chunk.length / bytesPerMs);
    });
    from.on("error", () => {});
    from.on("close", () => {
      if (link.dead) return;
      links.delete(link);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    if (!open) return void near.destroy();
    const far = createConnection(target, "127.0.0.1");
    const link: Link = { ends: [near, far], dead: lost };
    links.add(link);
    for (const end of link.ends) end.setNoDelay(true);
    join(link, near, far);
    join(link, far, near);
  });
  const end = (): void => {
    for (const { ends } of links) for (const socket of ends) socket.destroy();
    links.clear();
  };
  onTestFinished(() => {
    end();
    server.close();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get carried() {
      return carried;
    },
    get links() {
      return [...links].filter((link) => !link.dead).length;
    },
    blackHole(forever = false) {
      lost = forever;
      for (const link of links) link.dead = true;
    },
    slow(bytesPerSecond) {
      bytesPerMs = bytesPerSecond / 1_000;
    },
    cut(up = false) {
      open = up;
      end();
    },
    restore() {
      open = true;
    },
    leadTo(other) {
      target = other;
    },
  };
}
