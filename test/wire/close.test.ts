import { expect, it } from "vitest";
import { Close, isFinal } from "../../src/wire/index.ts";

it("[LIVE-7] the codes that end a client's attempts are those that waiting cannot mend", () => {
  const final = Object.values(Close).filter(isFinal);
  expect(final).toEqual([Close.malformed, Close.notAuthenticated, Close.notAllowed, Close.tooLarge]);
  expect([4399, 4400, 4499, 4500].map(isFinal)).toEqual([false, true, true, false]);
});
