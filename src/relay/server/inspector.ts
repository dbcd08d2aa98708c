/**
 * The inspector's page, as files: they hold nothing of this relay. What the page shows it asks of the HTTP API, with a key that its
 * user gives, and while it is in view. [INSP-3] [INSP-5]
 */
import { readFile } from "node:fs/promises";
import type { RequestListener, ServerResponse } from "node:http";
import { here } from "../documents/stored/here.ts";

const PATH = "/inspect";
const FOLDER = new URL("../../../inspect/", here);
/** What there is, by its path behind `/inspect`. */
const FILES = new Map<string, readonly [file: string, type: string]>([
  ["", ["index.html", "text/html"]],
  ["/style.css", ["style.css", "text/css"]],
  ...["app.js", "dom.js", "relay.js", "views.js"].map((name) => [`/${name}`, [name, "text/javascript"]] as const),
]);
const HEADERS = {
  // [INSP-4] nothing but these files runs, and no other page frames them: names in a page come from strangers
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** Whether a request target is the inspector's. */
export function isInspectorTarget(target: string): boolean {
  return target === PATH || target.startsWith(`${PATH}/`) || target.startsWith(`${PATH}?`);
}

/** Answers requests for which `isInspectorTarget` holds. */
export const inspector: RequestListener = ({ url = "", method }, response) => {
  const path = url.replace(/\?.*$/, "").slice(PATH.length);
  const found = FILES.get(path);
  if (found === undefined) return say(response, 404, "there is no such page\n", "text/plain");
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return say(response, 405, "GET or HEAD\n", "text/plain");
  }
  const [file, type] = found;
  void readFile(new URL(file, FOLDER)).then(
    (body) => say(response, 200, body, type),
    () => say(response, 500, "the page is not in this installation\n", "text/plain"),
  );
};

function say(response: ServerResponse, status: number, body: string | Buffer, type: string): void {
  response.writeHead(status, {
    ...HEADERS,
    "content-type": `${type}; charset=utf-8`,
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
