/** Why something failed, in words, for logs and errors. */

/** What an error says, or whatever else was thrown. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // each address of a host was tried, and the error that holds all of their errors says nothing itself
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join(", ");
  return error.message || error.name;
}

/** The error that an error came of, if it names one: "fetch failed" says nothing, what it failed of does. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

/** The code of an error of Node or of a database, such as `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What an error says, and what the errors say that it came of, in one line. */
export function withCauses(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined || cause === null ? reasonOf(error) : `${reasonOf(error)}: ${withCauses(cause)}`;
}
