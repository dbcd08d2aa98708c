/** What the page says when the relay will not have it. */
import { SignJWT } from "jose";
import { expect, it } from "vitest";
import { ownClient } from "../../support.ts";
import { findings } from "../demo/axe.ts";
import { type Middleware, spawnRelay } from "../demo/servers.ts";
import { Demo, avatar, testId } from "../demo/visitor.ts";

const SECRET = "no secret at all, but longer than 32 bytes";

/** Where somebody has signed in already, and what their token grants. */
const given: { relay: string; rooms: Readonly<Record<string, readonly string[]>> | null } = { relay: "", rooms: null };
const session: Middleware = (request, response, next) => {
  if (given.rooms === null) return next();
  if (request.url === "/session/token") {
    const token = new SignJWT({ name: "Bob", rooms: given.rooms })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("u_bob");
    const signed = token.setExpirationTime("1h").sign(new TextEncoder().encode(SECRET));
    return void signed.then((text) => response.end(text));
  }
  if (request.url !== "/session") return next();
  const user = request.method === "DELETE" ? null : { id: "u_bob", name: "Bob", color: "#c24d33" };
  response.setHeader("content-type", "application/json").end(JSON.stringify({ relay: given.relay, user }));
};
const demo = new Demo([], session);

const ALL = ["observe", "presence", "read", "write"];
const banner = (state: string): string => `${testId("banner")}[data-state="${state}"]`;

async function guarded(rooms: typeof given.rooms): Promise<{ readonly url: string }> {
  const relay = await spawnRelay(["--jwt-secret", SECRET]);
  Object.assign(given, { relay: relay.url, rooms });
  return relay;
}

it("[TOKEN-7] a page without a token is told for good that it must sign in, and where", async () => {
  const relay = await guarded(null);
  const bob = demo.at(await (await demo.context()).newPage());
  await bob.page.goto(`${demo.url}/?relay=${relay.url}`);
  await bob.sees(banner("refused"), "lets in only those who signed in");
  await bob.sees(`${testId("roster-status")}[data-status="refused"]`, "Refused");
  expect(await findings(bob.page)).toEqual([]);
});

it("[TOKEN-7] Bob may not open one document: he is told why, can only read there, and is led to another", async () => {
  await guarded({ "@lobby": ["observe", "presence"], "field-notes": ALL });
  const bob = demo.at(await (await demo.context()).newPage());
  await bob.page.goto(`${demo.url}/#/reading-list`);
  await bob.sees(banner("refused"), "You may not open this document");
  await bob.page.locator(".cm-content[aria-readonly=true]").focus();
  await bob.page.keyboard.type("lost words");
  await bob.page.keyboard.press("Enter");
  expect((await bob.lines()).join("")).not.toContain("lost");
  await bob.page.locator(`${testId("banner")} a`).click();
  await bob.sees(avatar("u_bob"));
  await bob.isLive();
  await bob.write("kept words");
  await bob.finds("them", async () => (await bob.lines())[0] === "kept words");
});

it("[CLIENT-11] Bob may read a document and not write it: he is told, and what he types is not there", async () => {
  const relay = await guarded({ "@lobby": ["observe", "presence"], "field-notes": ["observe", "presence", "read"] });
  const alice = new SignJWT({ name: "Alice" }).setProtectedHeader({ alg: "HS256" }).setSubject("u_alice");
  const token = await alice.setExpirationTime("1h").sign(new TextEncoder().encode(SECRET));
  const her = ownClient(relay.url, "u_alice", { token }).join("field-notes");
  her.doc.getText("text").insert(0, "Her words.");
  const bob = demo.at(await (await demo.context()).newPage());
  await bob.page.goto(`${demo.url}/#/field-notes`);
  await bob.isLive();
  await bob.sees(testId("viewer"), "You can read this document, but not change it.");
  await bob.finds("her words", async () => (await bob.lines())[0] === "Her words.");
  await bob.page.locator(".cm-content[aria-readonly=true]").focus();
  await bob.page.keyboard.type("lost words");
  await bob.page.keyboard.press("Enter");
  expect(await bob.lines()).toEqual(["Her words."]);
  expect(await findings(bob.page)).toEqual([]);
});

it("[GRANT-6] Bob may write, but not see who is online: he is told, and writes", async () => {
  await guarded({ "*": ALL });
  const bob = demo.at(await (await demo.context()).newPage());
  await bob.page.goto(`${demo.url}/#/field-notes`);
  await bob.sees(banner("refused"), "You may not see who is online");
  await bob.write("kept words");
  await bob.finds("them", async () => (await bob.lines())[0] === "kept words");
  expect(await findings(bob.page)).toEqual([]);
});
