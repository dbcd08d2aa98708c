/** What an application gives the extension that cannot be used, and its functions that fail. */
import { expect, it } from "vitest";
import { type HocuspocusOptions, presenceExtension } from "../../src/hocuspocus/index.ts";
import { until } from "../support.ts";
import { type Context, ownClient, plainProvider, startServer, tabSocket } from "./server.ts";

type Options = Partial<HocuspocusOptions<Context>>;

/** A server whose errors are written down. */
async function serverWith(presence: Options) {
  const errors: string[] = [];
  const server = await startServer({
    presence: { ...presence, onError: (error, where) => errors.push(`${where}: ${String(error)}`) },
  });
  return { ...server, errors };
}

it.each([undefined, {}, { identify: "alice" }])(
  "[HOC-17] the options %j are refused: they say nothing of identify",
  (options) => {
    expect(() => presenceExtension(options as never)).toThrow(/^presenceExtension needs a function identify/);
  },
);

it.each<[string, Options["addressOf"]]>([
  [
    "throws",
    () => {
      throw new Error("no header");
    },
  ],
  ["gives no text", () => 5 as unknown as string],
])("[HOC-17] an addressOf that %s is reported, and the socket counts by itself", async (_what, addressOf) => {
  const { url, errors } = await serverWith({ ...(addressOf !== undefined && { addressOf }) });
  const [alice, bob] = [plainProvider(tabSocket(url), "doc", "alice"), plainProvider(tabSocket(url), "doc", "bob")];
  await until("they see each other", () => bob.awareness.states.has(alice.awareness.clientID));
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.every((each) => each.startsWith("addressOf: "))).toBe(true);
});

it("[HOC-17] an identify that gives a promise is reported with what to do, and what it rejects with ends nothing", async () => {
  const identify = (() => Promise.reject(new Error("late"))) as unknown as HocuspocusOptions<Context>["identify"];
  const { url, errors } = await serverWith({ identify });
  const [alice, bob] = [plainProvider(tabSocket(url), "doc", "alice"), plainProvider(tabSocket(url), "doc", "bob")];
  alice.doc.getText("t").insert(0, "text");
  await until("the document goes on", () => bob.doc.getText("t").toJSON() === "text");
  expect(errors[0]).toMatch(/^identify: .*identify gave a promise: it has to answer at once/);
});

it("[HOC-2] an identify that throws for a client of ours is reported, too", async () => {
  const { url, errors } = await serverWith({
    identify: () => {
      throw new Error("who is she");
    },
  });
  const presence = ownClient(url, "alice");
  await until("she is refused", () => presence.refusal !== null);
  expect(errors[0]).toBe("identify: Error: who is she");
});
