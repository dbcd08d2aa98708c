import { expect, it } from "vitest";
import type { ReadToken } from "../../../../src/relay/access/tokens/jwt.ts";
import { sharedReader } from "../../../../src/relay/access/tokens/shared.ts";

/** A reader that takes what does not begin with "bad" and fails for what begins with "lost", and what it was asked. */
function setup() {
  const asked: string[] = [];
  let time = 0;
  const inner: ReadToken = async (token) => {
    asked.push(token);
    if (token.startsWith("lost")) throw new Error("no key set");
    return token.startsWith("bad") ? { code: 4401, reason: "bad" } : { payload: { sub: token } };
  };
  const read = sharedReader(
    inner,
    (answer) => "payload" in answer,
    () => time,
  );
  return { asked, read, elapse: (ms: number) => void (time += ms) };
}

it("[LINK-12] a good token is read once for all who bring it within a second, and then anew", async () => {
  const { asked, read, elapse } = setup();
  const answers = await Promise.all([read("alice"), read("alice"), read("bob")]);
  expect(answers).toEqual(["alice", "alice", "bob"].map((sub) => ({ payload: { sub } })));
  elapse(999);
  await read("alice");
  expect(asked).toEqual(["alice", "bob"]);
  elapse(1);
  await read("alice");
  expect(asked).toEqual(["alice", "bob", "alice"]);
});

it("[LINK-12] what is refused, or could not be read, is asked for anew", async () => {
  const { asked, read } = setup();
  for (let i = 0; i < 2; i++) {
    expect(await read("bad")).toMatchObject({ code: 4401 });
    await expect(read("lost")).rejects.toThrow("no key set");
  }
  expect(asked).toEqual(["bad", "lost", "bad", "lost"]);
});

it("[LINK-12] no more than a thousand tokens are remembered", async () => {
  const { asked, read } = setup();
  for (let i = 0; i < 1_500; i++) await read(`user-${i}`);
  await read("user-1499");
  await read("user-0");
  expect(asked).toHaveLength(1_501);
});
