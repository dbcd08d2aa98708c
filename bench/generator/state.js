// @ts-check
/**
 * The awareness state of a person with a cursor, as editor bindings write it; what changes from one to the next are seven
 * digits: how many changes there were. They stand in the clocks of the cursor's two positions, at a place that is known
 * from the state's end, so that nothing needs parsing to read them.
 */

const FIRST_CHANGE = 1_000_000;
const DIGITS = 7;
/** What follows the last digit of a position. */
const TAIL = "}}}}";

/** The end of a state, from the digits of its second position on. */
const END_LENGTH = DIGITS + TAIL.length;

const COLORS = ["#30bced", "#6eeb83", "#ffbc42", "#ecd444", "#ee6352", "#9ac2c9", "#8acb88", "#1be7ff"];

/** @param {number} index */
export function stockState(index) {
  return Buffer.from(`{${userOf(index, "")},${cursorOf(index)}}`);
}

/**
 * The same of somebody who says who they are.
 *
 * @param {number} index
 */
export function namedState(index) {
  return Buffer.from(`{${userOf(index, `"id":"u${index}",`)},${cursorOf(index)}}`);
}

/**
 * The same of a client of ours, which says a little more.
 *
 * @param {number} index
 */
export function ownState(index) {
  const session = `"session":"s_${String(index).padStart(20, "0")}"`;
  const ours = `"copresence":{${session},"status":"online","device":"desktop","since":1764000000000,"meta":{}}`;
  return Buffer.from(`{${userOf(index, `"id":"u${index}",`)},${ours},${cursorOf(index)}}`);
}

/**
 * A client of ours without a cursor; what changes is its metadata.
 *
 * @param {number} index
 */
export function userState(index) {
  const session = `"session":"s_${String(index).padStart(20, "0")}"`;
  const meta = `"meta":{"at":{"clock":${FIRST_CHANGE}}}`;
  const ours = `"copresence":{${session},"status":"online","device":"desktop","since":1764000000000,${meta}}`;
  return Buffer.from(`{${userOf(index, `"id":"u${index}",`)},${ours}}`);
}

/**
 * The change that such metadata speaks of.
 *
 * @param {{ at?: { clock?: number } } | undefined} meta
 */
export function changeOf(meta) {
  return (meta?.at?.clock ?? FIRST_CHANGE) - FIRST_CHANGE;
}

/**
 * @param {number} index
 * @param {string} id
 */
function userOf(index, id) {
  const color = COLORS[index % COLORS.length];
  return `"user":{${id}"name":"Ann ${String(index).padStart(5, "0")}","color":"${color}","colorLight":"${color}33"}`;
}

/** @param {number} index */
function cursorOf(index) {
  const position = `{"item":{"client":${1_000_000_000 + index},"clock":${FIRST_CHANGE}}}`;
  return `"cursor":{"anchor":${position},"head":${position}}`;
}

/**
 * Where the digits of the two positions begin, counted back from the end of the state.
 *
 * @param {Uint8Array} state
 */
export function changePlaces(state) {
  const text = Buffer.from(state.buffer, state.byteOffset, state.length).toString("latin1");
  const digits = String(FIRST_CHANGE);
  return [text.length - text.indexOf(`"clock":${digits}`) - 8, text.length - text.lastIndexOf(digits)];
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} change  how many changes there were
 */
export function writeChange(bytes, at, change) {
  let rest = FIRST_CHANGE + change;
  for (let place = at + DIGITS - 1; place >= at; place--) {
    bytes[place] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/**
 * How many changes the state that ends at `end` has seen.
 *
 * @param {Uint8Array} bytes
 * @param {number} end
 */
export function readChange(bytes, end) {
  let value = 0;
  const from = end - END_LENGTH;
  for (let place = from; place < from + DIGITS; place++) value = value * 10 + (bytes[place] ?? 48) - 48;
  return value - FIRST_CHANGE;
}

/**
 * Whom a user id names, as an index; those of others are no numbers.
 *
 * @param {string} userId
 */
export function userIndex(userId) {
  return Number(userId.slice(1));
}
