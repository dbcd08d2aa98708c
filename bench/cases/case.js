// @ts-check
/**
 * @typedef {object} Context
 * @property {boolean} quick  Short runs, for development: the figures are rough.
 * @property {(line: string) => void} log
 * @property {<Result>(what: string, act: () => Promise<Result>) => Promise<Result | null>} attempt
 *   Does it, or writes down that it failed and returns null: one server that fails does not end the others' run.
 */

/**
 * A case measures, and returns what it measured as plain JSON.
 *
 * @template Data
 * @typedef {object} Case
 * @property {string} name
 * @property {string} summary
 * @property {(context: Context) => Promise<Data>} run
 */

/** Above this share of its core the generator may itself be what is measured. */
const GENERATOR_BOUND = 0.85;

/** @param {{ readonly generatorCores: number }} reading */
export function isGeneratorBound({ generatorCores }) {
  return generatorCores > GENERATOR_BOUND;
}
