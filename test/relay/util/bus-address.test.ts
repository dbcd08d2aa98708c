import { expect, it } from "vitest";
import { checkOutboxAddress, readBusAddress } from "../../../src/relay/util/bus-address.ts";

const read = (address: string) => readBusAddress(address, "--bus");

it("[BUS-47] addresses of a server, of Sentinels and of a cluster are read", () => {
  expect(read("rediss://relay:secret@host:1")).toEqual({ type: "server", url: "rediss://relay:secret@host:1" });
  expect(read("rediss-sentinel://relay:p%40s:s@a:1,[::1],b/my%20master")).toEqual({
    type: "sentinel",
    sentinels: [
      { host: "a", port: 1 },
      { host: "::1", port: 26_379 },
      { host: "b", port: 26_379 },
    ],
    master: "my master",
    access: { isSecure: true, username: "relay", password: "p@s:s" },
  });
  expect(read("redis-cluster://a,b:7")).toEqual({
    type: "cluster",
    nodes: [
      { host: "a", port: 6_379 },
      { host: "b", port: 7 },
    ],
    access: { isSecure: false, username: undefined, password: undefined },
  });
});

it("[BUS-47] an address that names no bus is refused with what to give, and no error repeats a password", () => {
  const refused: readonly (readonly [address: string, reason: string])[] = [
    ["", "must be redis://HOST:PORT"],
    ["redis://", "must be redis://HOST:PORT"],
    ["redis://relay:secret@a:99999", "must be redis://HOST:PORT"],
    ["redis://relay:secret@a:1,b:1", "for a cluster redis-cluster://"],
    ["nats://relay:secret@a", "must be redis://HOST:PORT"],
    ["redis-sentinel://relay:secret@a:1", "such as /mymaster"],
    ["redis-sentinel://relay:secret@a:1/", "such as /mymaster"],
    ["redis-sentinel://relay:secret@a:1/main?x=1", "must be redis://HOST:PORT"],
    ["redis-sentinel://relay:secret@a:1/%", "as %25"],
    ["redis-sentinel://relay:secret%@a:1/main", "as %25"],
    ["redis-cluster://relay:secret@a:1/0", "a cluster has one database"],
    ["redis-cluster://relay:secret@a:1,", "must be redis://HOST:PORT"],
    ["redis-cluster://relay:secret@a:0", "must be redis://HOST:PORT"],
    ["redis-cluster://relay:secret@a:70000", "must be redis://HOST:PORT"],
    ["redis-cluster://::1", "must be redis://HOST:PORT"],
  ];
  for (const [address, reason] of refused) {
    let message = "";
    try {
      read(address);
    } catch (error) {
      message = error instanceof RangeError ? error.message : "another kind of error";
    }
    expect(`${address}: ${message}`).toContain(reason);
    expect(message).not.toContain("secret");
  }
});

it("[BUS-49] webhooks with Sentinels or a cluster are refused, with what to give", () => {
  for (const address of ["redis-sentinel://relay:secret@a/main", "redis-cluster://relay:secret@a"]) {
    expect(() => checkOutboxAddress(address, "--bus")).toThrow("--bus: webhooks need the address of one Redis");
  }
  expect(() => checkOutboxAddress("redis://a", "--bus")).not.toThrow();
});
