import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Failure } from "../../../src/client/link/reconnecting.ts";
import { ReconnectingSocket, type SocketOptions, defaultSocketTiming } from "../../../src/client/link/socket.ts";
import { LINK_CHANNEL, controlFrame, envelope } from "../../../src/wire/index.ts";
import { pause, until } from "../../support.ts";
import { tellTime } from "../../tab.ts";
import { ScriptedSocket } from "../scripted-socket.ts";

const noToken = { get: () => "", shown() {}, accepted() {}, rejected: () => false };
const { backoffMs, maxBackoffMs, connectTimeoutMs, probeTimeoutMs, renewalTimeoutMs } = defaultSocketTiming;

/** A socket that tells a test what becomes of it. */
class ToldSocket extends ReconnectingSocket {
  onDialed = (): void => {};
  onOpened = (): void => {};
  onMessage = (): void => {};
  onDown = (): void => {};
  onFailed = (_failure: Failure): void => {};
  onRefused = (_code: number, _reason: string): void => {};

  constructor(options: Partial<SocketOptions>, timing = defaultSocketTiming) {
    super(
      { url: () => "ws://relay/doc", WebSocket: ScriptedSocket, tokens: noToken, isHidden: () => false, ...options },
      timing,
    );
  }

  protected override dialed(): void {
    this.onDialed();
  }
  protected override opened(): void {
    this.onOpened();
  }
  protected override message(): void {
    this.onMessage();
  }
  protected override down(): void {
    this.onDown();
  }
  protected override failed(failure: Failure): void {
    this.onFailed(failure);
  }
  protected override forgives(): boolean {
    return false;
  }
  protected override refused(code: number, reason: string): void {
    this.onRefused(code, reason);
  }
}

/** Time passes, and no timer fires. */
function freeze(ms: number): void {
  const told = performance.now.bind(performance);
  performance.now = () => told() + ms;
}

/** In told time, with the longest waits that chance can bring. */
function scripted() {
  tellTime();
  vi.spyOn(Math, "random").mockReturnValue(1);
  onTestFinished(() => void vi.restoreAllMocks());
  ScriptedSocket.made = [];
  const log: unknown[] = [];
  const failures: string[] = [];
  const page = { hidden: false };
  const socket = new ToldSocket({ isHidden: () => page.hidden });
  socket.onDialed = () => log.push("dialed");
  socket.onOpened = () => log.push("opened");
  socket.onMessage = () => log.push("message");
  socket.onDown = () => log.push("down");
  socket.onRefused = (code) => log.push(`refused ${code}`);
  socket.onFailed = ({ code, wasSettled }) => failures.push(wasSettled ? `${code} settled` : `${code}`);
  const latest = (): ScriptedSocket => ScriptedSocket.made.at(-1)!;
  const dialed = (): number => ScriptedSocket.made.length;
  /** How long until the next attempt. */
  const wait = (): number => {
    const before = dialed();
    for (let ms = 0; ms <= 10_000; ms++) {
      if (dialed() > before) return ms;
      vi.advanceTimersByTime(1);
    }
    return Infinity;
  };
  return { socket, page, log, failures, latest, dialed, wait };
}

describe("coming back", () => {
  it("[LIVE-6] waits at most 100 ms, then at most twice as long each time up to 2.5 s", () => {
    const { socket, latest, wait } = scripted();
    socket.connect();
    const waits = [...Array(7).keys()].map(() => {
      latest().closes(1006);
      return wait();
    });
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 2_500, 2_500]);
    expect([backoffMs, maxBackoffMs]).toEqual([100, 2_500]);
  });

  it("[LIVE-6] waits at random, so that those who lost the relay together do not come back together", () => {
    const { socket, latest, wait } = scripted();
    socket.connect();
    for (const random of [0.25, 0.5, 0.75]) {
      vi.spyOn(Math, "random").mockReturnValue(random);
      latest().opens();
      latest().says();
      vi.advanceTimersByTime(2 * maxBackoffMs + 1);
      latest().closes(1012);
      expect(wait()).toBe(random * 100);
    }
  });

  it("[LIVE-19] begins anew once a connection has lasted as long as two of the longest waits, not once it has spoken", () => {
    const { socket, latest, wait, failures } = scripted();
    socket.connect();
    // a relay that is full greets, and closes
    for (const expected of [100, 200, 400]) {
      latest().opens();
      latest().says();
      vi.advanceTimersByTime(2 * maxBackoffMs - 1);
      latest().closes(4503);
      expect(wait()).toBe(expected);
    }
    latest().opens();
    latest().says();
    vi.advanceTimersByTime(2 * maxBackoffMs);
    latest().closes(1006);
    expect(wait()).toBe(100);
    expect(failures).toEqual(["4503", "4503", "4503", "1006 settled"]);
  });

  it("[LIVE-17] does not wait when the page returns or the network does", () => {
    const { socket, latest, dialed, wait } = scripted();
    socket.connect();
    for (let i = 0; i < 6; i++) {
      latest().closes(1006);
      wait();
    }
    latest().closes(1006);
    const before = dialed();
    socket.wake();
    expect(dialed()).toBe(before + 1);
    expect(socket.phase).toBe("connecting");
    // and only once, from the shortest wait on
    socket.wake();
    vi.advanceTimersByTime(maxBackoffMs);
    expect(dialed()).toBe(before + 1);
    latest().closes(1006);
    expect(wait()).toBe(100);
  });

  it("[LIVE-18] does not wait while the page is hidden, whose timers may sleep, but for the first attempt", () => {
    const { socket, page, log, latest, dialed, wait } = scripted();
    page.hidden = true;
    socket.connect();
    latest().opens();
    latest().says();
    latest().closes(1006);
    expect([dialed(), ...log]).toEqual([2, "dialed", "opened", "message", "down", "dialed"]);
    // a relay that takes connections only to close them is not run down
    latest().opens();
    latest().closes(4503);
    expect([dialed(), wait()]).toEqual([2, 200]);
    latest().closes(1006);
    expect(wait()).toBe(400);
  });

  it("gives up an attempt that takes too long", () => {
    const { socket, log, latest, wait } = scripted();
    socket.connect();
    const first = latest();
    expect(wait()).toBe(connectTimeoutMs + 100);
    expect(first.closed).toEqual([undefined]);
    // and does not hear it any more
    first.opens();
    first.closes(4400);
    expect(socket.phase).toBe("connecting");
    expect(log).toEqual(["dialed", "dialed"]);
  });
});

describe("a connection that may be dead", () => {
  it("[LIVE-20] is refused when an address cannot be dialed once the token is there", async () => {
    const refused: unknown[] = [];
    class NotDialed extends ScriptedSocket {
      constructor() {
        super();
        throw new SyntaxError("no fragment, please");
      }
    }
    const tokens = { ...noToken, get: () => Promise.resolve("a.b.c") };
    const socket = new ToldSocket({ WebSocket: NotDialed, tokens });
    socket.onRefused = (...said) => refused.push(said);
    onTestFinished(() => socket.disconnect());
    socket.connect();
    await until("it is refused", () => refused.length > 0);
    expect([refused, socket.phase]).toEqual([[[1006, "SyntaxError: no fragment, please"]], "refused"]);
  });

  it("[LIVE-14] is given up when the relay does not speak first", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    vi.advanceTimersByTime(connectTimeoutMs - 1);
    expect(log).toEqual(["dialed", "opened"]);
    vi.advanceTimersByTime(1);
    expect([log, latest().sent]).toEqual([["dialed", "opened", "down"], []]);
  });

  it("[LIVE-12] is given up when a renewal is not answered", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    latest().says();
    log.length = 0;
    const renewal = Uint8Array.of(1, 1, 0);
    socket.ask(renewal);
    vi.advanceTimersByTime(renewalTimeoutMs - 1);
    latest().says();
    vi.advanceTimersByTime(renewalTimeoutMs);
    socket.ask(renewal);
    expect(latest().sent).toEqual([renewal, renewal]);
    vi.advanceTimersByTime(renewalTimeoutMs - 1);
    // asked already
    socket.ask(renewal);
    expect(latest().sent).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(["message", "down"]);
  });

  it("[LIVE-16] has more time as long as something leaves", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    latest().says();
    log.length = 0;
    latest().bufferedAmount = 1_000;
    socket.wake();
    vi.advanceTimersByTime(probeTimeoutMs - 1);
    latest().bufferedAmount = 999;
    vi.advanceTimersByTime(1);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(probeTimeoutMs);
    expect(log).toEqual(["down"]);
  });

  it("[LIVE-12] [LIVE-16] is given up in a browser, which says of what it was just given that it has not left", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    latest().says();
    log.length = 0;
    const connection = latest();
    vi.spyOn(connection, "send").mockImplementation((data) => {
      connection.bufferedAmount += data.length;
      setTimeout(() => (connection.bufferedAmount -= data.length), 5);
    });
    socket.ask(Uint8Array.of(1, 1, 0));
    vi.advanceTimersByTime(renewalTimeoutMs - 1);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(["down"]);
  });

  it("[LIVE-13] is asked once more by a page that was frozen while it waited", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    socket.wake();
    // timers of a frozen page are late
    freeze(60_000);
    vi.advanceTimersByTime(probeTimeoutMs);
    expect([log, latest().sent.length]).toEqual([["dialed", "opened"], 2]);
    vi.advanceTimersByTime(probeTimeoutMs);
    expect(log).toEqual(["dialed", "opened", "down"]);
  });

  it("[LIVE-12] is not asked for ever by a page whose timers are always late", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    latest().says();
    log.length = 0;
    socket.ask(Uint8Array.of(1, 1, 0));
    for (let i = 0; i < 2; i++) {
      expect(log).toEqual([]);
      freeze(60_000);
      vi.advanceTimersByTime(renewalTimeoutMs);
    }
    expect(log).toEqual(["down"]);
  });

  it("[LIVE-13] is given up soon after waking, though an earlier question is overdue", () => {
    const { socket, log, latest } = scripted();
    socket.connect();
    latest().opens();
    socket.ask(Uint8Array.of(1, 1, 0));
    freeze(60_000);
    socket.wake();
    vi.advanceTimersByTime(probeTimeoutMs);
    expect(log).toEqual(["dialed", "opened", "down"]);
  });

  it("[LIVE-13] [ACT-4] is asked on waking, and given up if it does not answer", () => {
    const { socket, log, latest, dialed, wait } = scripted();
    socket.connect();
    latest().opens();
    const first = latest();
    socket.wake();
    vi.advanceTimersByTime(probeTimeoutMs / 2);
    socket.wake();
    const ping = envelope(LINK_CHANNEL, controlFrame({ kind: "ping" }));
    expect(first.sent).toEqual([ping, ping]);
    // the second call prolongs nothing
    expect(wait()).toBe(probeTimeoutMs / 2 + 100);
    expect(dialed()).toBe(2);
    expect(log).toEqual(["dialed", "opened", "down", "dialed"]);
    first.says();
    expect(log).toHaveLength(4);
  });

  it("[LIVE-13] stays when anything comes, and is asked again the next time", () => {
    const { socket, latest, dialed } = scripted();
    socket.connect();
    latest().opens();
    for (const asked of [1, 2]) {
      socket.wake();
      expect(latest().sent).toHaveLength(asked);
      vi.advanceTimersByTime(probeTimeoutMs - 1);
      latest().says();
      vi.advanceTimersByTime(probeTimeoutMs * 2);
    }
    expect(dialed()).toBe(1);
    expect(socket.phase).toBe("open");
  });
});

describe("the end", () => {
  /** What each phase is reached by, and how its sockets are closed. */
  const phases: {
    readonly phase: string;
    readonly closed: readonly unknown[];
    readonly reach: (script: ReturnType<typeof scripted>) => void;
  }[] = [
    { phase: "idle", closed: [], reach: () => {} },
    { phase: "connecting", closed: [1000], reach: ({ socket }) => socket.connect() },
    {
      phase: "open",
      closed: [1000],
      reach({ socket, latest }) {
        socket.connect();
        latest().opens();
        socket.wake();
      },
    },
    {
      phase: "waiting",
      closed: [undefined],
      reach({ socket, latest }) {
        socket.connect();
        latest().closes(1006);
      },
    },
    {
      phase: "refused",
      closed: [1000],
      reach({ socket, latest }) {
        socket.connect();
        latest().opens();
        socket.wake();
        latest().closes(4403);
      },
    },
  ];

  it.for(phases)("[RUN-3] leaves no timer when it comes while $phase", ({ phase, closed, reach }) => {
    const script = scripted();
    const { socket, log, latest } = script;
    reach(script);
    expect(socket.phase).toBe(phase);
    // one that was open is told of once
    const expected = phase === "open" ? [...log, "down"] : [...log];
    socket.disconnect();
    socket.disconnect();
    expect(vi.getTimerCount()).toBe(0);
    expect(socket.phase).toBe("idle");
    expect(ScriptedSocket.made.flatMap((made) => made.closed)).toEqual(closed);
    // what was let go of may go on for a while (one that the relay closed is at its end)
    if (phase !== "idle" && phase !== "refused") {
      latest().opens();
      latest().says();
      latest().closes(1006);
    }
    socket.wake();
    socket.send(new Uint8Array());
    expect([log, vi.getTimerCount()]).toEqual([expected, 0]);
    socket.connect();
    expect(socket.phase).toBe("connecting");
  });
});

describe("the relay's close code", () => {
  const final = [4400, 4401, 4403, 4413, 4499];
  const mendable = [1000, 1001, 1011, 1012, 3000, 4000, 4399, 4500, 4501, 4503, 4504, 4508, 4529, null];

  it("[LIVE-7] ends the attempts when it is 4400–4499, and no other does", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    await once(server, "listening");
    const attempts = new Map<string, number>();
    server.on("connection", (socket, { url = "" }) => {
      attempts.set(url, (attempts.get(url) ?? 0) + 1);
      socket.send(controlFrame({ kind: "pong" }));
      const code = Number(url.slice(1));
      if (Number.isNaN(code)) socket.terminate();
      else socket.close(code, "because");
    });
    const { port } = server.address() as AddressInfo;
    const timing = { ...defaultSocketTiming, backoffMs: 5, maxBackoffMs: 5 };
    const refused: unknown[] = [];
    const sockets = [...final, ...mendable].map((code) => {
      const socket = new ToldSocket({ url: () => `ws://127.0.0.1:${port}/${code}`, WebSocket }, timing);
      socket.onRefused = (because, reason) => refused.push([code, because, reason]);
      onTestFinished(() => socket.disconnect());
      socket.connect();
      return socket;
    });
    await until("those that may come back have, a few times", () =>
      mendable.every((code) => (attempts.get(`/${code}`) ?? 0) >= 4),
    );
    await until("the others are refused", () => refused.length === final.length);
    await pause(50);
    expect(final.map((code) => attempts.get(`/${code}`))).toEqual(final.map(() => 1));
    expect(refused).toEqual(expect.arrayContaining(final.map((code) => [code, code, "because"])));
    expect(sockets.slice(0, final.length).map(({ phase }) => phase)).toEqual(final.map(() => "refused"));
    // told to, it tries once more; waking is no reason to
    sockets[0]?.wake();
    sockets[1]?.connect();
    await until("it tried", () => attempts.get("/4401") === 2);
    expect(attempts.get("/4400")).toBe(1);
  });
});
