/** How much is tried: `npm run test:long` sets THOROUGH and tries all of it, `npm test` what finds most of what breaks. */
export const isThorough: boolean = process.env["THOROUGH"] !== undefined;

/** A count for `npm test`, and the whole one for `npm run test:long`. */
export const thoroughly = <T>(usual: T, whole: T): T => (isThorough ? whole : usual);
