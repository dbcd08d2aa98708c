/** What `--origins` takes: what browsers say in the header `Origin`. Pure. */

/** What is no web page has a scheme of its own: `capacitor://localhost`, `chrome-extension://…`, `file://`. */
const ORIGIN = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#\s]*)(.*)$/is;

/**
 * An origin as it is compared with the header. [AUTH-10]
 *
 * @param label what the option is called in an error
 * @throws RangeError for what no browser says
 */
export function readOrigin(given: unknown, label: string): string {
  const refuse = (why: string): never => {
    throw new RangeError(`${label}: "${String(given)}" is no origin: ${why}`);
  };
  if (typeof given !== "string") return refuse('it must be a text such as "https://app.example"');
  const text = given.toLowerCase();
  // sandboxed frames, and pages from files
  if (text === "null") return text;
  if (text === "*") return refuse(`without ${label}, pages of all origins may connect`);
  if (text.includes("*")) return refuse("there are no patterns; list each origin");
  const [, scheme = "", host = "", rest = ""] = ORIGIN.exec(text) ?? [];
  if (scheme === "")
    return refuse(`it needs a scheme, as in "https://${/^[\w.:[\]-]+/.exec(text)?.[0] ?? "app.example"}"`);
  if (scheme === "ws://" || scheme === "wss://") {
    return refuse(`it is that of the page, not of the relay, such as "${scheme.replace("ws", "http")}${host}"`);
  }
  const sent = scheme === "http://" || scheme === "https://" ? webOrigin(scheme + host) : scheme + host;
  if (sent === null) return refuse('it must be as in "https://app.example"');
  if (sent !== text || rest !== "") return refuse(`browsers send "${sent}"`);
  return sent;
}

/** Null for what has no host, or no sound one. */
function webOrigin(text: string): string | null {
  return URL.canParse(text) ? new URL(text).origin : null;
}
