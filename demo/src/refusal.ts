import type { Refusal } from "copresence";
import type { Refused } from "./connection.ts";

export interface Advice {
  /** What happened. */
  readonly why: string;
  /** What the visitor can do about it. */
  readonly what: string;
  /** The button that does it. */
  readonly action: "reload" | "sign-in" | "other-document" | null;
}

const WHAT = { all: "this page", lobby: "to say who is online", document: "this document" } as const;

/**
 * A final refusal, in words.
 *
 * @param isSignedIn somebody signed in; where nobody can, signing in again is no advice
 */
export function adviceOn({ code, reason }: Refusal, refused: Refused, isSignedIn: boolean): Advice {
  const said = reason === "" ? "" : ` It says: “${reason}”.`;
  const what = WHAT[refused];
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
      return notAllowed(refused, said);
    case 4413:
      return {
        why: `What this page tells about you is too large for the relay.${said}`,
        what: "Shorten your name or your note; it is tried again at once.",
        action: null,
      };
    default:
      return {
        why: `The relay refused ${what} for good (${code}).${said}`,
        what: "Nothing here is kept up to date any more. Reload the page.",
        action: "reload",
      };
  }
}

function notAllowed(refused: Refused, said: string): Advice {
  switch (refused) {
    case "all":
      return {
        why: `The relay does not let this page in.${said}`,
        what: "Ask those who run it to allow you, or this address.",
        action: null,
      };
    case "lobby":
      return {
        why: `You may not see who is online.${said}`,
        what: "The documents that are open to you work all the same.",
        action: null,
      };
    case "document":
      return { why: `You may not open this document.${said}`, what: "Choose another one.", action: "other-document" };
  }
}
