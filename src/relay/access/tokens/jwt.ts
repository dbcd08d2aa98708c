/** Identities from JSON Web Tokens. */
import {
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  decodeProtectedHeader,
  errors,
  jwtVerify,
} from "jose";
import { readUserId } from "../../../presence/index.ts";
import { Close } from "../../../wire/index.ts";
import {
  type Authenticate,
  type Identity,
  type Refusal,
  type RefusalCode,
  bindingOf,
  isGrants,
  isLobbyName,
} from "../identity.ts";
import {
  type KeyNames,
  type KeySource,
  SET_ALGORITHMS,
  type VerifyingKeys,
  candidates,
  verifyingKeys,
} from "./keys.ts";

import { sharedReader } from "./shared.ts";

export interface JwtOptions extends KeySource {
  /** What `aud` must be, or hold. Default: anything. */
  readonly audience?: string;
  /** What `iss` must be. Default: anything. */
  readonly issuer?: string;
  /** How far the signer's clock may be from ours, ms. Default 5 000. */
  readonly clockTolerance?: number;
}

const CLOCK_TOLERANCE_MS = 5_000;
/** Longer than any token that fits in a request. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/** A token whose signature and times are good, read; or why it is refused. Rejects when that cannot be found out. */
export type ReadToken = (token: string) => Promise<{ readonly payload: JWTPayload } | Refusal>;

/**
 * An `authenticate` that takes signed tokens. Claims: `sub` is the user's id; `name`, `color` and `avatar`, if given,
 * are who they are, whatever their connection claims; `lobby`, `rooms` and `exp` as in `Identity`.
 *
 * @param names what the options are called in an error
 * @throws RangeError unless there is a key, and all that are given are fit for use
 */
export function jwtAuthenticator(options: JwtOptions, names?: KeyNames): Authenticate {
  return authenticateBy(tokenReader(options, names));
}

/** An `authenticate` that takes what a reader of tokens takes. */
export function authenticateBy(reader: ReadToken): Authenticate {
  const read = sharedReader(reader, (answer) => "payload" in answer);
  return async ({ token }) => {
    if (token === null)
      return refuse('no token: give createPresence the option "token", and other clients the parameter');
    const answer = await read(token);
    return "payload" in answer ? identityOf(answer.payload) : answer;
  };
}

/**
 * Reads signed tokens.
 *
 * @param names what the options are called in an error
 * @throws RangeError unless there is a key, and all that are given are fit for use
 */
export function tokenReader(options: JwtOptions, names?: KeyNames): ReadToken {
  const keys = verifyingKeys(options, names);
  const { audience, issuer, clockTolerance = CLOCK_TOLERANCE_MS } = options;
  // who it must be for, and from, and when it ends [JWT-1] [JWT-3]
  const settings = {
    requiredClaims: ["sub"],
    clockTolerance: clockTolerance / 1_000,
    ...(audience !== undefined && { audience }),
    ...(issuer !== undefined && { issuer }),
  };
  return async (token) => {
    if (token.length > MAX_TOKEN_LENGTH) return refuse("token too long");
    try {
      return await verify(token, keys, settings);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      return refusal;
    }
  };
}

type Verified = Promise<{ readonly payload: JWTPayload }>;

/** Verifies a token with the key that has signed it, if there is one: first of the given keys, then of the set. [KEY-1] */
async function verify(token: string, { given, set }: VerifyingKeys, settings: JWTVerifyOptions): Verified {
  const header = headerOf(token);
  for (const { key, algorithms } of candidates(given, header)) {
    const verified = await unlessOther(jwtVerify(token, key, { ...settings, algorithms: [...algorithms] }));
    if (verified !== null) return verified;
  }
  // [KEY-4] none of the given keys has signed it: the set is asked last
  if (set === null || !SET_ALGORITHMS.includes(header.alg ?? "")) throw new errors.JWSSignatureVerificationFailed();
  return verifyWithSet(token, set, { ...settings, algorithms: [...SET_ALGORITHMS] });
}

/** Of a token that does not name its key, and a set of several that fit, any may be the one. */
async function verifyWithSet(token: string, set: JWTVerifyGetKey, settings: JWTVerifyOptions): Verified {
  try {
    return await jwtVerify(token, set, settings);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const each of error) {
      const verified = await unlessOther(jwtVerify(token, each, settings));
      if (verified !== null) return verified;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Null: another key has signed the token, or none. What else is wrong with it is thrown. */
async function unlessOther(verified: Verified): Promise<Awaited<Verified> | null> {
  try {
    return await verified;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return null;
    throw error;
  }
}

function headerOf(token: string): { readonly alg?: string | undefined; readonly kid?: string | undefined } {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { alg, kid };
  } catch {
    throw new errors.JWTInvalid("no token");
  }
}

function refuse(reason: string, code: RefusalCode = Close.notAuthenticated): Refusal {
  return { code, reason };
}

/** Reads the claims of a token that is genuine. [JWT-1] [JWT-4] */
export function identityOf(payload: JWTPayload): Identity | Refusal {
  const { sub, exp, name, color, avatar, lobby, rooms } = payload;
  const userId = readUserId(sub);
  if (userId === undefined) return refuse("the token's sub is no usable user id");
  // what limits its bearer must not be lost on the way
  if (lobby !== undefined && !isLobbyName(lobby)) return refuse("the token's lobby is no name of one");
  if (rooms !== undefined && !isGrants(rooms)) return refuse("the token's rooms are not a map of lists");
  return {
    userId,
    ...bindingOf({ name, color, avatar }),
    ...(lobby !== undefined && { lobby }),
    ...(rooms !== undefined && { rooms }),
    ...(exp !== undefined && { expiresAt: exp * 1_000 }),
  };
}

/** What is wrong with a token, in our words: the library's may quote the token [AUTH-7]. Null: nothing is; it could not be verified. */
function refusalOf(error: unknown): Refusal | null {
  if (error instanceof errors.JWTExpired) return refuse("the token has expired", Close.tokenExpired);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuse(`the token's ${error.claim} is ${error.reason === "missing" ? "missing" : "not accepted"}`);
  }
  // it may have begun to sign with it since the set was fetched, which is not done for each token: it may be there soon
  if (error instanceof errors.JWKSNoMatchingKey) return refuse("the token's key is not known", Close.overloaded);
  const isBad =
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  return isBad ? refuse("the token is not valid") : null;
}
