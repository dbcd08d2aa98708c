import { expect, it } from "vitest";
import { withPackage } from "../../../src/relay/util/optional-package.ts";

it("[STORE-23] what needs a package that is not installed says what to install, and copresence with it", async () => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'pg'"));
  await expect(withPackage("pg", "this store", missing)).rejects.toThrow(
    "this store needs the package pg beside copresence: npm install copresence pg",
  );
  expect(await withPackage("pg", "this store", () => Promise.resolve("loaded"))).toBe("loaded");
});
