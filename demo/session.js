/**
 * The demo's own small server: it lets people sign in, and signs the tokens that the relay lets them in with.
 *
 * It stands for the session that an application has anyway; only `GET /session/token` is about presence. Signing in takes
 * a name and no password: this is a demo, and everybody who gives a name is believed. Sessions last as long as the process.
 */
import { randomBytes } from "node:crypto";
import { SignJWT } from "jose";

/**
 * @typedef {{ readonly id: string, readonly name: string, readonly color: string }} SignedIn
 * @typedef {import("node:http").IncomingMessage} Request
 * @typedef {import("node:http").ServerResponse} Response
 */

const COOKIE = "quire";
const MAX_BODY = 1_000;
/** How long a token is good for: short, since what was granted is not taken back before; yet a hidden tab renews it in time. */
const LIFETIME_S = 180;

/**
 * @param {object} options
 * @param {string} options.secret the relay has it too
 * @param {() => string} options.relay its address, which the page is told
 * @param {number} [options.lifetimeS] of a token
 * @returns {(request: Request, response: Response, next: () => void) => void} for `/session` and what is below it
 */
export function sessionServer({ secret, relay, lifetimeS = LIFETIME_S }) {
  const key = new TextEncoder().encode(secret);
  /** @type {Map<string, SignedIn>} By what the cookie holds. */
  const sessions = new Map();

  /** @param {SignedIn} user */
  const tokenOf = ({ id, name, color }) =>
    new SignJWT({ name, color })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(id)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeS)
      .sign(key);

  /**
   * @param {Request} request
   * @param {Response} response
   */
  const answer = async (request, response) => {
    const cookie = cookieOf(request);
    const user = sessions.get(cookie) ?? null;
    switch (`${request.method} ${request.url?.split("?", 1)[0]}`) {
      case "GET /session":
        return json(response, { relay: relay(), user });
      case "POST /session": {
        const wanted = readUser(await bodyOf(request));
        if (wanted === null) return void response.writeHead(400).end("a name and a colour, please");
        const id = randomBytes(24).toString("base64url");
        sessions.delete(cookie);
        sessions.set(id, wanted);
        // no script reads it, and no other site's page sends it
        response.setHeader("set-cookie", `${COOKIE}=${id}; HttpOnly; SameSite=Strict; Path=/session`);
        return json(response, { relay: relay(), user: wanted });
      }
      case "DELETE /session":
        sessions.delete(cookie);
        return json(response, { relay: relay(), user: null });
      case "GET /session/token":
        if (user === null) return void response.writeHead(401).end("not signed in");
        return void response.setHeader("content-type", "text/plain").end(await tokenOf(user));
      default:
        return void response.writeHead(404).end();
    }
  };

  return (request, response, next) => {
    if (!/^\/session(?:[/?]|$)/.test(request.url ?? "")) return next();
    response.setHeader("cache-control", "no-store");
    answer(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  };
}

/** @param {Request} request */
function cookieOf({ headers }) {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? "")?.[1] ?? "";
}

/**
 * @param {Request} request
 * @returns {Promise<unknown>} what it says; null if that is no JSON
 */
async function bodyOf(request) {
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_BODY) return null;
  }
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/**
 * The same name is the same person: so one may come with a second browser or a phone.
 *
 * @param {unknown} body
 * @returns {SignedIn | null}
 */
function readUser(body) {
  const { name, color } = /** @type {Record<string, unknown>} */ (body ?? {});
  if (typeof name !== "string" || typeof color !== "string" || !/^#[\da-f]{6}$/i.test(color)) return null;
  const trimmed = name.trim().slice(0, 40);
  return trimmed === "" ? null : { id: `u_${trimmed.toLowerCase()}`, name: trimmed, color };
}

/**
 * @param {Response} response
 * @param {unknown} value
 */
function json(response, value) {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
}
