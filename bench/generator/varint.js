// @ts-check
/** lib0's variable-length integers, read without an object for each. */

/** Where the last number that was read ended. */
export const cursor = { at: 0 };

/**
 * Reads the number at `at`, and leaves `cursor.at` behind it.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 */
export function readVarint(bytes, at) {
  let value = 0;
  let unit = 1;
  for (;;) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) break;
    unit *= 128;
  }
  cursor.at = at;
  return value;
}

/** @param {number} value */
export function varintLength(value) {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} value
 * @returns where it ends
 */
export function writeVarint(bytes, at, value) {
  let rest = value;
  while (rest >= 128) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
