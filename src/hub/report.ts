/** How errors are reported, for servers that have a hub within. */
export { type ErrorListener, consoleReporter, safeReporter } from "../relay/util/report.ts";
