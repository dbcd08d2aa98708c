// @ts-check
/** Users who poll: each says how it is and asks how the others are, every so often. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Freshness } from "../freshness.js";
import { Meter } from "../meter.js";
import { Pacer } from "../pacer.js";

/**
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.serverPid
 * @param {number} options.users
 * @param {number} options.readers  How many of them look at what they are told; the rest only receive it.
 * @param {number} options.everyS
 * @param {number} options.changesPerSecond  Of all users together; a change rides on its user's next heartbeat.
 * @param {number} options.windowMs
 */
export async function polling({ port, serverPid, users, readers, everyS, changesPerSecond, windowMs }) {
  const changes = new Int32Array(users);
  const counted = { frames: 0, bytes: 0, states: 0 };
  const receivers = Array.from({ length: readers }, (_, i) => Math.floor((i * users) / readers));
  const readerSet = new Set(receivers);
  const freshness = new Freshness({
    senders: users,
    perRoom: users,
    changesPerSecond: changesPerSecond / users,
    receivers,
  });
  const agents = Array.from({ length: users }, () => new Agent({ keepAlive: true, maxSockets: 1 }));

  /** @param {number} user */
  const poll = async (user) => {
    const agent = agents[user];
    if (agent === undefined) return;
    const heartbeat = JSON.stringify({ id: String(user), status: "online", change: changes[user] });
    await ask(agent, port, "POST", "/heartbeat", heartbeat);
    const answer = await ask(agent, port, "GET", "/presence", null);
    counted.frames += 2;
    counted.bytes += answer.length;
    if (!readerSet.has(user)) return;
    /** @type {Record<string, { change: number }>} */
    const everyone = JSON.parse(answer);
    for (const [id, { change }] of Object.entries(everyone)) freshness.received(user, Number(id), change);
  };

  let failed = 0;
  const polls = new Pacer(users / everyS, (turn) => void poll(turn % users).catch(() => failed++));
  // in an order of its own, or a user would always change just before it polls
  const edits = new Pacer(changesPerSecond, (turn) => {
    const user = (turn * 7_919) % users;
    changes[user] = (changes[user] ?? 0) + 1;
    freshness.sent(user, changes[user] ?? 0);
  });
  polls.start();
  edits.start();
  await sleep(2 * everyS * 1000);
  const meter = new Meter(serverPid, [counted]);
  freshness.begin();
  await sleep(windowMs);
  freshness.end();
  const reading = meter.read();
  await sleep(3 * everyS * 1000);
  polls.stop();
  edits.stop();
  const { freshness: seen, knownShare } = freshness.finish();
  for (const agent of agents) agent.destroy();
  return {
    ...reading,
    users,
    requestsPerSecond: reading.frames / reading.seconds,
    freshness: seen,
    knownShare,
    failed,
  };
}

/**
 * @param {Agent} agent
 * @param {number} port
 * @param {string} method
 * @param {string} path
 * @param {string | null} body
 * @returns {Promise<string>}
 */
function ask(agent, port, method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, method, path, host: "127.0.0.1" }, (response) => {
      let answer = "";
      response.setEncoding("latin1");
      response.on("data", (/** @type {string} */ chunk) => (answer += chunk));
      response.on("end", () => resolve(answer));
    });
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });
}
