import { describe, expect, it } from "vitest";
import { readOrigin } from "../../../src/relay/access/origin.ts";

describe("an origin", () => {
  it.each([
    "https://app.example",
    "http://localhost:5173",
    "http://[::1]:8080",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://localhost",
    "vscode-webview://abc123",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://1f5b-11",
    "file://",
    "null",
  ])("[AUTH-10] may be %s", (origin) => {
    expect(readOrigin(origin, "--origins")).toBe(origin);
    expect(readOrigin(origin.toUpperCase(), "--origins")).toBe(origin);
  });

  it.each<[unknown, string]>([
    ["https://a.example/app", 'browsers send "https://a.example"'],
    ["https://a.example/", 'browsers send "https://a.example"'],
    ["https://a.example:443", 'browsers send "https://a.example"'],
    ["https://a.example?x", 'browsers send "https://a.example"'],
    ["file:///home/alice/index.html", 'browsers send "file://"'],
    ["capacitor://localhost/", 'browsers send "capacitor://localhost"'],
    ["a.example", 'it needs a scheme, as in "https://a.example"'],
    ["localhost:5173", 'it needs a scheme, as in "https://localhost:5173"'],
    ["", 'it needs a scheme, as in "https://app.example"'],
    ["*", "without --origins, pages of all origins may connect"],
    ["https://*.a.example", "there are no patterns; list each origin"],
    ["wss://a.example", 'it is that of the page, not of the relay, such as "https://a.example"'],
    ["https://", 'it must be as in "https://app.example"'],
    [7, 'it must be a text such as "https://app.example"'],
  ])("[AUTH-10] is not %j, which is refused with what to write", (given, why) => {
    expect(() => readOrigin(given, "--origins")).toThrow(
      new RangeError(`--origins: "${String(given)}" is no origin: ${why}`),
    );
  });
});
