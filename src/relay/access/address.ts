/** Where a request comes from. Pure. */
import { isIP } from "node:net";

/**
 * The client's address, behind so many trusted proxies. Each proxy appends whom it was called by, so only the last
 * `hops` entries of the header are theirs; what is before was written by whoever called.
 *
 * @param remote the other end of the TCP connection
 * @param forwarded the header X-Forwarded-For
 */
export function addressOf(remote: string | undefined, forwarded: string | undefined, hops: number): string {
  const chain = hops === 0 || forwarded === undefined ? [] : forwarded.split(",").map(withoutPort);
  const from = Math.max(0, chain.length - hops);
  const address = chain.slice(from).find((each) => isIP(each) !== 0) ?? remote ?? "";
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** `1.2.3.4:5678` and `[::1]:5678`, as some proxies write them. */
function withoutPort(entry: string): string {
  const trimmed = entry.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(trimmed) ? trimmed.slice(0, trimmed.indexOf(":")) : trimmed;
}

/** What limits by address count by: whoever has one IPv6 address has 2^64 of them. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.toLowerCase().split("%", 1)[0]?.split("::") ?? [];
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}
