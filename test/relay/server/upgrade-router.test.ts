import { once } from "node:events";
import { type IncomingMessage, type RequestListener, type Server, createServer } from "node:http";
import { type AddressInfo, Server as NetServer, connect } from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Relay, createRelay } from "../../../src/relay/index.ts";
import { headWithoutOffer } from "../../../src/relay/server/plain-request.ts";
import { startRelay, until } from "../../support.ts";

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`));
};

/** An application's server, and what a client dials. */
async function app(handler = echo): Promise<{ server: Server; url: string; port: number }> {
  const server = createServer(handler);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, url: `ws://127.0.0.1:${port}`, port };
}

function attached(server: Server, path?: string): Relay {
  const relay = createRelay();
  onTestFinished(() => relay.close());
  relay.attach(server, path === undefined ? {} : { path });
  return relay;
}

/** The application's own `ws` server, which says what it is to everybody. */
function ownSockets(server: Server, path?: string): WebSocketServer {
  const sockets = new WebSocketServer({ server, ...(path !== undefined && { path }) });
  onTestFinished(() => sockets.close());
  sockets.on("connection", (socket) => socket.send("own"));
  return sockets;
}

/** Who answers a request for a WebSocket: `relay` (with its first frame), `own`, or the status of a refusal. */
function answerTo(url: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { handshakeTimeout: 10_000 });
    onTestFinished(() => socket.terminate());
    socket.on("message", (data: Buffer, isBinary) => {
      // it goes on, though another listener may have been asked as well
      setTimeout(() => {
        if (socket.readyState === WebSocket.OPEN) resolve(isBinary ? "relay" : data.toString());
      }, 50);
    });
    socket.on("close", (code) => resolve(`closed ${code}`));
    socket.on("error", (error) => resolve(/\d{3}/.exec(error.message)?.[0] ?? error.message));
  });
}

/** Sends bytes over one connection, and resolves to what has come back once it holds so many answers. */
function exchange(port: number, text: string, answers = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let received = "";
    socket.on("data", (data) => {
      received += data.toString("latin1");
      if (received.split("HTTP/1.1 ").length > answers && received.includes("\r\n\r\n")) {
        setTimeout(() => resolve(received), 50);
      }
    });
    socket.on("close", () => resolve(received)).on("error", reject);
    socket.write(text);
  });
}

const offering = (line: string, upgrade = "h2c", rest = ""): string =>
  `${line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n${rest}\r\n`;

describe("several relays on one server", () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, "/b"],
    ["/b", undefined],
    ["/a", "/a/b"],
    ["/a/b", "/a"],
  ])("[HTTP-4] at %s and %s: the longest path that fits serves, whichever came first", async (first, second) => {
    const { server, url } = await app();
    const paths = [first, second];
    const relays = paths.map((path) => attached(server, path));
    const counts = (): number[] => relays.map((relay) => relay.metrics().accepted);
    const lengths = paths.map((path) => path?.length ?? 0);
    const inner = lengths[0]! > lengths[1]! ? 0 : 1;
    expect(await answerTo(`${url}${paths[inner]}/doc`)).toBe("relay");
    expect([counts()[inner], counts()[1 - inner]]).toEqual([1, 0]);
    expect(await answerTo(`${url}${paths[1 - inner] ?? ""}/doc`)).toBe("relay");
    expect(counts()).toEqual([1, 1]);
    expect(relays[inner]?.rooms().map(({ name }) => name)).toEqual(["doc"]);
  });

  it("[HTTP-4] at the same path: the first serves until it is taken off, then the other", async () => {
    const { server, url } = await app();
    const [one, two] = [attached(server, "/a"), attached(server, "/a")];
    expect(await answerTo(`${url}/a/doc`)).toBe("relay");
    expect([one.metrics().accepted, two.metrics().accepted]).toEqual([1, 0]);
    await one.close();
    expect(await answerTo(`${url}/a/doc`)).toBe("relay");
    expect(two.metrics().accepted).toBe(1);
    await two.close();
    expect([server.listenerCount("upgrade"), Object.hasOwn(server, "emit")]).toEqual([0, false]);
  });
});

describe("a relay beside the application's own listeners", () => {
  const orders = [
    ["after", false],
    ["before", true],
  ] as const;

  it.each(orders)(
    "[HTTP-4] with a path, attached %s a ws server with another: each serves its own",
    async (_, isFirst) => {
      const { server, url } = await app();
      const steps = [() => void ownSockets(server, "/b"), () => void attached(server, "/presence")];
      for (const step of isFirst ? steps.toReversed() : steps) step();
      expect(await answerTo(`${url}/b`)).toBe("own");
      expect(await answerTo(`${url}/presence/doc`)).toBe("relay");
      // nobody's, as that server says
      expect(await answerTo(`${url}/c`)).toBe("400");
    },
  );

  it.each(orders)(
    "[HTTP-4] with a path, attached %s a ws server that takes all: it keeps its path",
    async (_, isFirst) => {
      const { server, url } = await app();
      const steps = [() => void ownSockets(server), () => void attached(server, "/presence")];
      for (const step of isFirst ? steps.toReversed() : steps) step();
      expect(await answerTo(`${url}/b`)).toBe("own");
      expect(await answerTo(`${url}/presence/doc`)).toBe("relay");
    },
  );

  it.each(orders)(
    "[HTTP-5] without a path, attached %s a ws server with one: it serves the rest",
    async (_, isFirst) => {
      const { server, url } = await app();
      const steps = [() => void ownSockets(server, "/b"), () => void attached(server)];
      for (const step of isFirst ? steps.toReversed() : steps) step();
      expect(await answerTo(`${url}/b`)).toBe("own");
      expect(await answerTo(`${url}/doc`)).toBe("relay");
      expect(await answerTo(`${url}/b/c`)).toBe("relay");
    },
  );

  it("[HTTP-9] serves what a listener destroys because it does not know the path, and not what one refuses", async () => {
    const { server, url } = await app();
    attached(server);
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      if (request.url === "/mine") socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
      else if (request.url === "/ours") {
        socket.write("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
        socket.destroy();
      } else socket.destroy();
    });
    expect(await answerTo(`${url}/mine`)).toBe("401");
    expect(await answerTo(`${url}/ours`)).toBe("403");
    expect(await answerTo(`${url}/doc`)).toBe("relay");
  });

  it("[HTTP-10] waits for a listener that listens to the socket, and answers what it leaves", async () => {
    const { server, url } = await app();
    const relay = attached(server);
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => {});
      if (request.url !== "/mine") return;
      setTimeout(() => sockets.handleUpgrade(request, socket, head, (each) => each.send("own")), 100);
    });
    const answers = await Promise.all([answerTo(`${url}/mine`), answerTo(`${url}/doc`)]);
    expect(answers).toEqual(["own", "relay"]);
    expect(relay.metrics().accepted).toBe(1);
  });

  it("[HTTP-6] a request that nobody answers is answered 404", async () => {
    const { server, url } = await app();
    attached(server, "/presence");
    expect(await answerTo(`${url}/other`)).toBe("404");
    // one that hears of it, and does nothing
    let heard = 0;
    server.on("upgrade", () => heard++);
    expect(await answerTo(`${url}/other`)).toBe("404");
    expect(heard).toBe(1);
    expect(await answerTo(`${url}/presence/doc`)).toBe("relay");
    expect(heard).toBe(1);
  });

  it("[HTTP-6] is gone with the relay: the application's listeners are asked as before", async () => {
    const { server, url } = await app();
    ownSockets(server);
    const relay = attached(server, "/presence");
    expect(await answerTo(`${url}/presence/doc`)).toBe("relay");
    await relay.close();
    expect(await answerTo(`${url}/presence/doc`)).toBe("own");
    expect(Object.hasOwn(server, "emit")).toBe(false);
  });
});

describe("a request that offers an upgrade to something else", () => {
  const setups: [string, (server: Server) => unknown][] = [
    ["one relay", (server) => attached(server, "/presence")],
    ["a relay for all paths", (server) => attached(server)],
    ["two relays", (server) => [attached(server), attached(server, "/b")]],
    ["a relay and an own ws server", (server) => [attached(server, "/a"), ownSockets(server, "/b")]],
    ["an own ws server and a relay", (server) => [ownSockets(server), attached(server)]],
  ];

  it.each(setups)("[HTTP-3] is answered as usual with %s", async (_, setup) => {
    const { server, port } = await app();
    setup(server);
    for (const upgrade of ["h2c", "TLS/1.0"]) {
      const answer = await exchange(port, offering("GET /api?x=1", upgrade));
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toContain("GET /api?x=1 ");
    }
  });

  it("[HTTP-3] with its body, and with what follows on the connection", async () => {
    const { server, port } = await app();
    attached(server);
    const posted = offering("POST /form", "h2c", "Content-Length: 5\r\n");
    const chunked = offering("POST /chunks", "h2c", "Transfer-Encoding: chunked\r\n");
    const text = `${posted}hello${chunked}3\r\nabc\r\n0\r\n\r\n${offering("HEAD /head")}GET /last HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answers = await exchange(port, text, 4);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(Array.from({ length: 4 }, () => "HTTP/1.1 200"));
    for (const body of ["POST /form hello", "POST /chunks abc", "GET /last "]) expect(answers).toContain(body);
    // what is answered to HEAD has no body
    expect(answers).not.toContain("HEAD /head");
  });

  it("[HTTP-13] a body does not pass for a request, however many headers stand before its length", async () => {
    const { server, port } = await app();
    attached(server);
    const body = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    // near the limit of 1,000 either answer will do
    const expected = [
      [900, "200"],
      [995, "200|431"],
      [1_100, "431"],
      [2_000, "431"],
    ] as const;
    for (const [count, status] of expected) {
      const headers = `${"a:b\r\n".repeat(count)}Content-Length: ${body.length}\r\n`;
      const answer = await exchange(port, offering("POST /form", "other", headers) + body);
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 (${status}) `));
    }
  });

  it("[HTTP-13] the server's own limit of headers counts", async () => {
    const { server, port } = await app();
    attached(server);
    const headers = "a:b\r\n".repeat(200);
    server.maxHeadersCount = 100;
    expect(await exchange(port, offering("GET /few", "other", headers))).toMatch(/^HTTP\/1\.1 431 /);
    server.maxHeadersCount = 0;
    expect(await exchange(port, offering("GET /any", "other", headers))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("[HTTP-3] a body that comes later is read, too", async () => {
    const { server, port } = await app();
    attached(server);
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let received = "";
    socket.on("data", (data) => (received += data.toString()));
    socket.write(offering("POST /slow", "h2c", "Content-Length: 10\r\n"));
    await until("the request is there", async () => {
      const count = await new Promise<number>((resolve) => server.getConnections((__, open) => resolve(open)));
      return count > 0;
    });
    socket.write("01234");
    setTimeout(() => socket.write("56789"), 50);
    await until("it is answered", () => received.includes("POST /slow 0123456789"));
  });

  it("[HTTP-11] is left to a listener of the application's that takes it", async () => {
    const { server, port } = await app();
    attached(server);
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      if (request.headers.upgrade === "tunnel") socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\nhello");
    });
    expect(await exchange(port, offering("GET /", "tunnel"))).toMatch(/^HTTP\/1\.1 101 .*hello$/s);
    expect(await exchange(port, offering("GET /api", "other"))).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it("[HTTP-1] [HTTP-3] is answered by the command's server, too", async () => {
    const { port } = await startRelay();
    expect(await exchange(port, offering("GET /healthz"))).toMatch(/^HTTP\/1\.1 200 OK.*\r\n\r\nok\n$/s);
    expect(await exchange(port, offering("GET /doc"))).toMatch(/^HTTP\/1\.1 426 /);
  });

  it("[HTTP-3] [HTTP-11] is not taken at all by a version of Node that asks", async () => {
    const { server } = await app();
    // as Node 24.9 has it
    const always: (request: IncomingMessage) => boolean = () => true;
    const asks = Object.assign(server, { shouldUpgradeCallback: always });
    const relay = attached(server, "/presence");
    const isTaken = (upgrade: string): boolean =>
      asks.shouldUpgradeCallback({ headers: { upgrade } } as IncomingMessage);
    expect(["WebSocket", "h2c", "other"].map(isTaken)).toEqual([true, false, false]);
    server.on("upgrade", () => {});
    expect(["websocket", "h2c", "other"].map(isTaken)).toEqual([true, false, true]);
    await relay.close();
    expect(asks.shouldUpgradeCallback).toBe(always);
  });

  it("[HTTP-3] keeps all headers but those of the offer", () => {
    const request = { method: "GET", url: "/a?b", httpVersion: "1.1" };
    const head = (...rawHeaders: string[]): string => headWithoutOffer({ ...request, rawHeaders });
    expect(head("Host", "x", "Connection", "keep-alive, Upgrade", "upgrade", "h2c", "X-A", "1", "X-A", "ü")).toBe(
      "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nX-A: 1\r\nX-A: ü\r\n\r\n",
    );
    expect(head("Host", "x", "CONNECTION", "upgrade, HTTP2-Settings", "HTTP2-Settings", "A")).toBe(
      "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n",
    );
  });
});

describe("a socket that fails", () => {
  const handshake = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

  it("[HTTP-7] before, in or after its handshake ends nothing but itself", async () => {
    const { server, url, port } = await app();
    attached(server);
    attached(server, "/b");
    // one that leaves the sockets of some requests lying for a while
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      if (request.url === "/later") socket.on("end", () => {});
    });
    const broken = handshake("/doc").replace(/Sec-WebSocket-Key.*\r\n/, "");
    const texts = ["/doc", "/b/doc", "/later", "/b"].map(handshake).concat(broken, offering("GET /"));
    for (const text of texts) {
      for (const delay of [0, 5]) {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.write(text);
        // a frame that is none, and then a reset
        socket.write(Buffer.from([0xff, 0xff, 0xff]));
        await new Promise((resolve) => setTimeout(resolve, delay));
        socket.resetAndDestroy();
      }
    }
    expect(await answerTo(`${url}/doc`)).toBe("relay");
    expect(await exchange(port, broken)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("[HTTP-7] an error of the command's server while it listens is reported, and it goes on", async () => {
    const reported: string[] = [];
    const relay = createRelay({ onError: (error, where) => reported.push(`${where}: ${(error as Error).message}`) });
    onTestFinished(() => relay.close());
    const listen = vi.spyOn(NetServer.prototype, "listen");
    onTestFinished(() => listen.mockRestore());
    const { url } = await relay.listen(0, "127.0.0.1");
    const [server] = listen.mock.contexts as NetServer[];
    for (let i = 0; i < 3; i++) server?.emit("error", new Error("accept EMFILE"));
    expect(reported).toEqual(Array.from({ length: 3 }, () => "the server: accept EMFILE"));
    expect(await answerTo(`${url}/doc`)).toBe("relay");
  });
});

it.each(["presence", "presence/", "/a b", "/über", "/a?b", "/a#b", "\n/a", 5])(
  "[HTTP-15] a relay is attached at no path that no address has: %j",
  async (path) => {
    const { server } = await app();
    const relay = createRelay();
    onTestFinished(() => relay.close());
    expect(() => relay.attach(server, { path: path as string })).toThrow(
      'path must be as addresses have it, and begin with a slash, such as "/presence"',
    );
    expect(server.listenerCount("upgrade")).toBe(0);
  },
);

it("[HTTP-16] what still waits for the application when the relay closes is answered, so that the server can close", async () => {
  const { server, url, port } = await app();
  let count = 0;
  server.on("upgrade", (_request, socket) => {
    count++;
    // it may answer later, and never does
    socket.on("drain", () => {});
  });
  const relay = attached(server);
  const asked = Promise.all([
    answerTo(`${url}/doc`),
    exchange(port, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"),
  ]);
  await until("both are waited for", () => count === 2);
  await relay.close();
  const [webSocket, other] = await asked;
  expect(webSocket).toBe("404");
  expect(other).toContain("200 OK");
});
