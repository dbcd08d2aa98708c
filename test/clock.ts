/**
 * The real clock, for those who wait, whatever a test does to time. Imported before anything of lib0, which keeps the
 * `Date.now` it finds: so that told time (`vi.useFakeTimers`) is told to y-protocols as well.
 */
const RealDate = Date;
const systemNow = Date.now;

RealDate.now = () => (globalThis.Date === RealDate ? systemNow() : globalThis.Date.now());

export const { setTimeout: realTimeout } = globalThis;
export const realNow: () => number = performance.now.bind(performance);
