import { describe, expect, it } from "vitest";
import { addressKey, addressOf, isLoopback } from "../../../src/relay/access/address.ts";

describe("an address", () => {
  it.each<[string | undefined, string | undefined, number, string]>([
    ["10.0.0.1", "1.1.1.1", 0, "10.0.0.1"],
    ["10.0.0.1", undefined, 1, "10.0.0.1"],
    ["10.0.0.1", "1.1.1.1", 1, "1.1.1.1"],
    // the first was written by the caller
    ["10.0.0.1", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"],
    ["10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"],
    ["10.0.0.1", "1.1.1.1", 3, "1.1.1.1"],
    ["10.0.0.1", "1.1.1.1:443", 1, "1.1.1.1"],
    ["10.0.0.1", "[2001:db8::1]:443", 1, "2001:db8::1"],
    ["10.0.0.1", "unknown", 1, "10.0.0.1"],
    ["10.0.0.1", "<script>", 1, "10.0.0.1"],
    // a header that is there, and says nothing
    ["10.0.0.1", "", 1, "10.0.0.1"],
    ["10.0.0.1", " , ,", 2, "10.0.0.1"],
    // what says nothing is no proxy's entry, wherever it stands
    ["10.0.0.1", "6.6.6.6, 1.1.1.1, ", 1, "1.1.1.1"],
    ["10.0.0.1", "6.6.6.6,,1.1.1.1", 1, "1.1.1.1"],
    // garbage is one: what is before was written by the caller
    ["10.0.0.1", "6.6.6.6, garbage", 1, "10.0.0.1"],
    ["10.0.0.1", "6.6.6.6, garbage, 10.0.0.2", 2, "10.0.0.2"],
    ["10.0.0.1", "1.1.1.1:", 1, "10.0.0.1"],
    ["10.0.0.1", "999.1.1.1", 1, "10.0.0.1"],
    // the zone says by which of its cables the proxy was reached
    ["10.0.0.1", "fe80::1%eth0", 1, "fe80::1"],
    ["10.0.0.1", "[fe80::1%25eth0]:443", 1, "fe80::1"],
    ["fe80::1%eth0", undefined, 0, "fe80::1"],
    ["10.0.0.1", "::ffff:1.1.1.1", 1, "1.1.1.1"],
    ["::FFFF:7f00:1", undefined, 0, "127.0.0.1"],
    ["10.0.0.1", "0:0:0:0:0:ffff:102:304", 1, "1.2.3.4"],
    ["::ffff:127.0.0.1", undefined, 0, "127.0.0.1"],
    [undefined, undefined, 0, ""],
  ])("[LIMIT-6] of %s behind %s with %i trusted is %s", (remote, forwarded, hops, address) => {
    expect(addressOf(remote, forwarded, hops)).toBe(address);
  });

  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::7", "2001:db8:1:2::/64"],
    ["2001:0db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    // the same IPv4 address, however it is written
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::ffff:102:304", "1.2.3.4"],
    ["2001:db8:1:2:3:4:1.2.3.4", "2001:db8:1:2::/64"],
    ["64:ff9b::1.2.3.4", "64:ff9b:0:0::/64"],
    ["", ""],
  ])("[LIMIT-13] %s counts as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it("[AUTH-8] is of this machine or not", () => {
    for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "[::1]"]) {
      expect(isLoopback(host)).toBe(true);
    }
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.evil.example", "a.localhost.example", "example.com"]) {
      expect(isLoopback(host)).toBe(false);
    }
  });
});
