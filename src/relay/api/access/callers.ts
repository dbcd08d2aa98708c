/** Who calls the API: a key of the relay's own, or a token that is signed with the keys of connections. [API-1] [API-2] */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ReadToken } from "../../access/tokens/jwt.ts";
import { ApiError } from "../answers/error.ts";
import { type ApiGrant, claimedGrant, keyGrant } from "./grant.ts";

const HOW_ON =
  "the HTTP API is off: start the relay with --api-key KEY (COPRESENCE_API_KEY; createRelay({ apiKey })), or with a key for " +
  'tokens, and call with a token whose claim "api" is read, write or admin';

export class Callers {
  /** Keys are compared by what a secret of this process makes of them: so all are equally long, and nobody can aim at one. */
  readonly #salt = randomBytes(32);
  readonly #keys: readonly Buffer[];
  readonly #readToken: ReadToken | null;

  constructor(keys: readonly string[], readToken: ReadToken | null) {
    this.#keys = keys.map((key) => this.#digest(key));
    this.#readToken = readToken;
  }

  /** @param authorization the header Authorization; throws `ApiError` for a caller who is nobody */
  async callerOf(authorization: string | null): Promise<ApiGrant> {
    if (this.#keys.length === 0 && this.#readToken === null) throw new ApiError(401, "api_off", HOW_ON);
    const key = /^bearer +(\S+)\s*$/i.exec(authorization ?? "")?.[1];
    if (key === undefined) throw new ApiError(401, "no_key", "send the header Authorization: Bearer KEY");
    const index = this.#indexOf(key);
    if (index >= 0) return keyGrant(`key ${index + 1}`);
    if (this.#readToken === null || key.split(".").length !== 3) throw unknownKey("the key is not known");
    return this.#tokenGrant(this.#readToken, key);
  }

  /** All keys are compared, whole: how long that takes says nothing about them. */
  #indexOf(key: string): number {
    const digest = this.#digest(key);
    let found = -1;
    for (const [index, known] of this.#keys.entries()) if (timingSafeEqual(known, digest)) found = index;
    return found;
  }

  async #tokenGrant(read: ReadToken, token: string): Promise<ApiGrant> {
    const answer = await read(token).catch(() => {
      throw new ApiError(503, "tokens_unavailable", "tokens cannot be verified for now: try again", { retryAfterS: 5 });
    });
    if (!("payload" in answer)) throw unknownKey(answer.reason);
    const grant = claimedGrant(answer.payload);
    if (typeof grant === "string") throw new ApiError(403, "not_granted", grant);
    return grant;
  }

  #digest(key: string): Buffer {
    return createHash("sha256").update(this.#salt).update(key).digest();
  }
}

function unknownKey(reason: string): ApiError {
  return new ApiError(401, "bad_key", reason);
}
