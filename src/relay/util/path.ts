/**
 * A path without the slashes at its end. A regular expression would look at each slash of a long row anew, so that one request
 * of a stranger could hold up everybody. [HTTP-14]
 */
export function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}
