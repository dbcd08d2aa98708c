/** Where a request comes from. Pure. */
import { isIP } from "node:net";

/**
 * The client's address, behind so many trusted proxies. Each proxy appends whom it was called by, so only the last
 * `hops` entries of the header are theirs; what is before was written by the caller, and may be false. [LIMIT-6]
 *
 * @param remote the other end of the TCP connection
 * @param forwarded the header X-Forwarded-For
 */
export function addressOf(remote: string | undefined, forwarded: string | undefined, hops: number): string {
  const chain = hops === 0 || forwarded === undefined ? [] : entriesOf(forwarded);
  const from = Math.max(0, chain.length - hops);
  const address = chain.slice(from).find((each) => isIP(each) !== 0) ?? remote ?? "";
  const withoutZone = address.replace(/%.*$/, "");
  return mappedIPv4(withoutZone) ?? withoutZone;
}

/** The addresses in the header. An entry that says nothing is none, but one that makes no sense was written by a proxy. */
function entriesOf(forwarded: string): string[] {
  const entries = forwarded.split(",").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "").map(withoutPort);
}

/** `1.2.3.4:5678` and `[::1]:5678`, as some proxies write them. */
function withoutPort(entry: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(entry);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(entry) ? entry.slice(0, entry.indexOf(":")) : entry;
}

/** What limits by address count by: who has one IPv6 address has 2^64 of them. [LIMIT-13] */
export function addressKey(address: string): string {
  const withoutZone = address.replace(/%.*$/, "");
  if (isIP(withoutZone) !== 6) return address;
  const network = groupsOf(withoutZone).slice(0, 4);
  return mappedIPv4(withoutZone) ?? `${network.map((group) => group.toString(16)).join(":")}::/64`;
}

/** The IPv4 address that an IPv6 one stands for (`::ffff:1.2.3.4`), as a socket for both kinds says it. */
function mappedIPv4(address: string): string | null {
  if (isIP(address) !== 6) return null;
  const [, , , , , mark, high = 0, low = 0] = groupsOf(address);
  if (
    mark !== 0xffff ||
    groupsOf(address)
      .slice(0, 5)
      .some((group) => group !== 0)
  )
    return null;
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = address.split("::");
  const before = hexGroups(head);
  if (tail === undefined) return before;
  const after = hexGroups(tail);
  return [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0), ...after];
}

/** The last two groups may be written as an IPv4 address. */
function hexGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}
