/** Deep equality of plain JSON-like values; accessors are not looked at (they are computed, not data). */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    const [x, y] = [Object.getOwnPropertyDescriptor(a, key), Object.getOwnPropertyDescriptor(b, key)];
    // an accessor has no value
    if (x === undefined || y === undefined || typeof x.get !== typeof y.get || !equal(x.value, y.value)) return false;
  }
  return true;
}
