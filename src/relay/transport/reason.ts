/** A close reason is at most so many bytes of UTF-8. */
const MAX_REASON = 123;

/** As much of a reason as a close frame holds. */
export function truncate(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  // half a character at the end is left out
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON), { stream: true });
}
