import type { Refusal } from "./connection.ts";

export interface Advice {
  /** What happened. */
  readonly why: string;
  /** What the visitor can do about it. */
  readonly what: string;
  /** The button that does it. */
  readonly action: "reload" | "sign-in" | "other-document" | null;
}

/**
 * A final refusal, in words.
 *
 * @param isSignedIn somebody signed in; where nobody can, signing in again is no advice
 */
export function adviceOn({ code, reason }: Refusal, where: "lobby" | "document", isSignedIn: boolean): Advice {
  const said = reason === "" ? "" : ` It says: “${reason}”.`;
  const place = where === "lobby" ? "this page" : "this document";
  switch (code) {
    case 4401:
      return isSignedIn
        ? { why: `The relay does not accept your session.${said}`, what: "Sign in again.", action: "sign-in" }
        : {
            why: `The relay lets in only those who signed in, and there is nowhere to sign in here.${said}`,
            what: "Start the demo with “npm run demo”, or a relay that is open to all.",
            action: null,
          };
    case 4403:
      return where === "document"
        ? { why: `You may not open this document.${said}`, what: "Choose another one.", action: "other-document" }
        : {
            why: `The relay does not let this page in.${said}`,
            what: "Ask who runs it to allow this address.",
            action: null,
          };
    case 4413:
      return {
        why: `What this page tells about you is too large for the relay.${said}`,
        what: "Shorten your name or your note; it is tried again at once.",
        action: null,
      };
    default:
      return {
        why: `The relay refused ${place} for good (${code}).${said}`,
        what: "Nothing here is kept up to date any more. Reload the page.",
        action: "reload",
      };
  }
}
