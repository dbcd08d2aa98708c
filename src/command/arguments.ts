/** Says what is wrong with flags and arguments in words for the person who typed them. Pure. */
import { UsageError } from "./usage.ts";

/** A flag that is as near as this to one that was typed is meant: the number of letters to add, drop or change. */
const NEAR = 2;

/**
 * What `parseArgs` of Node refuses, with the flag that was meant, and without advice about flags that begin with dashes.
 *
 * @param thrown by `parseArgs`
 * @param flags that there are, without dashes
 * @param noArgument what to say of an argument where none is taken; default: what Node says
 */
export function wrongArguments(
  thrown: unknown,
  flags: readonly string[],
  noArgument?: (argument: string) => string,
): UsageError {
  const { message, code } = thrown as NodeJS.ErrnoException;
  return new UsageError(inWords(message, code, flags, noArgument), { cause: thrown });
}

function inWords(
  message: string,
  code: string | undefined,
  flags: readonly string[],
  noArgument: ((argument: string) => string) | undefined,
): string {
  switch (code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION": {
      const option = /'(--?[^']*)'/.exec(message)?.[1] ?? "";
      const meant = option.startsWith("--") ? nearest(option.slice(2), flags) : null;
      return `Unknown option '${option}'${meant === null ? "" : `: did you mean --${meant}?`}`;
    }
    case "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL": {
      const argument = /'([^']*)'/.exec(message)?.[1];
      return argument === undefined || noArgument === undefined ? message : noArgument(argument);
    }
    default:
      return message;
  }
}

/** The flag that is most like a word, if one is like it. */
export function nearest(word: string, flags: readonly string[]): string | null {
  // `pingInterval` is how a configuration file has it
  const plain = word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const ranked = flags
    .map((flag) => ({ flag, distance: distanceBetween(plain, flag) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [first] = ranked;
  return first !== undefined && first.distance <= Math.min(NEAR, first.flag.length - 2) ? first.flag : null;
}

/** Levenshtein's distance: how many letters have to be added, dropped or changed. */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
