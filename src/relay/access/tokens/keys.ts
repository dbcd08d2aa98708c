/** What tokens are verified with. The algorithms follow from the kind of key, never from the token. */
import { type KeyObject, createPublicKey } from "node:crypto";
import type { JWTVerifyGetKey } from "jose";
import { keySet } from "./key-set.ts";

/** A JSON Web Key. Spelled out here, since not every version of @types/node exports a type of that name. */
type JsonWebKey = { readonly [field: string]: unknown; readonly kty?: string };

/** PEM or JWK of an RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA) key. A text may hold several: PEMs, or a JWK set. */
export type PublicKeySource = string | JsonWebKey;

/**
 * Where the keys come from: at least one of these. A token is good if one of the keys has signed it, so that a new key can
 * be added before tokens are signed with it, and the old one taken away when the last of its tokens has expired. [KEY-1]
 */
export interface KeySource {
  /** Shared with the signer of tokens (HS256): each at least 32 bytes, and known to nobody else. */
  readonly secret?: string | readonly string[];
  /** Keys with a `kid` verify the tokens that name it and those that name none. */
  readonly publicKey?: PublicKeySource | readonly PublicKeySource[];
  /** Where the signer publishes its public keys, as a JWK set. */
  readonly jwksUrl?: string;
}

/** A key that is given, not fetched. */
export interface VerifyingKey {
  readonly key: Uint8Array | KeyObject;
  readonly algorithms: readonly string[];
  /** What tokens call it; null: it has no name. */
  readonly kid: string | null;
}

export interface VerifyingKeys {
  readonly given: readonly VerifyingKey[];
  /** Null: there is none. */
  readonly set: JWTVerifyGetKey | null;
}

const MIN_SECRET_BYTES = 32;
/** Each may be tried for each token that a stranger brings. */
const MAX_KEYS = 32;
const EDDSA = ["EdDSA", "Ed25519"];
/** The algorithms of public keys that are fetched. */
export const SET_ALGORITHMS: readonly string[] = ["RS256", "ES256", ...EDDSA];

/** What a key is called in an error: in the API, or on the command line. */
export type KeyNames = Readonly<Record<keyof KeySource, string>>;
const API_NAMES: KeyNames = { secret: "secret", publicKey: "publicKey", jwksUrl: "jwksUrl" };

/** Throws a `RangeError` that says what is wrong with the source; it never holds a key. [KEY-3] [JWT-2] */
export function verifyingKeys(source: KeySource, names: KeyNames = API_NAMES): VerifyingKeys {
  const { secret, publicKey, jwksUrl } = source;
  if (secret === undefined && publicKey === undefined && jwksUrl === undefined) {
    throw new RangeError(`one of ${Object.values(names).join(", ")} is needed`);
  }
  const given = [
    ...listOf(secret, names.secret).map((each) => secretKey(each, names.secret)),
    ...listOf(publicKey, names.publicKey).flatMap((each) => publicKeys(each, names.publicKey)),
  ];
  if (given.length > MAX_KEYS) throw new RangeError(`there are ${given.length} keys; at most ${MAX_KEYS} can be given`);
  return { given, set: jwksUrl === undefined ? null : keySet(jwksUrl, names.jwksUrl) };
}

function listOf<T extends string | object>(given: T | readonly T[] | undefined, name: string): readonly T[] {
  if (given === undefined) return [];
  const list = Array.isArray(given) ? (given as readonly T[]) : [given as T];
  // nobody means to be without keys who gives a list of them
  if (list.length === 0) throw new RangeError(`${name} must not be empty`);
  return list;
}

/** The given keys that may have signed a token with such a header. [KEY-2] */
export function candidates(
  given: readonly VerifyingKey[],
  { alg, kid }: { readonly alg?: string | undefined; readonly kid?: string | undefined },
): readonly VerifyingKey[] {
  const fitting = given.filter(({ algorithms }) => alg !== undefined && algorithms.includes(alg));
  if (kid === undefined) return fitting;
  const named = fitting.filter((each) => each.kid === kid);
  return named.length > 0 ? named : fitting.filter((each) => each.kid === null);
}

function secretKey(secret: string, name: string): VerifyingKey {
  const key = new TextEncoder().encode(secret);
  if (key.length >= MIN_SECRET_BYTES) return { key, algorithms: ["HS256"], kid: null };
  throw new RangeError(
    `${name} must be at least ${MIN_SECRET_BYTES} bytes long, each if there are several, or it can be guessed: ` +
      'try "openssl rand -base64 48"',
  );
}

/** Whether a text is a key itself, not the path of a file with one. */
export function isKeyText(text: string): boolean {
  return /^\s*(-----BEGIN|\{|\[)/.test(text);
}

const PEM = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g;

function publicKeys(given: PublicKeySource, name: string): VerifyingKey[] {
  const refused = new RangeError(
    `${name} must be the PEM or JWK of a public key: RSA of at least 2048 bits, P-256 or Ed25519`,
  );
  try {
    const keys = partsOf(given).map(readPublicKey);
    if (keys.length > 0 && keys.every((key) => key !== null)) return keys;
  } catch {
    // what the library says may quote the key [AUTH-7] [KEY-3]
  }
  throw refused;
}

/** The PEMs and JWKs in what was given. */
function partsOf(given: PublicKeySource): PublicKeySource[] {
  if (typeof given !== "string") return jwksOf(given);
  // variables often hold a PEM with its line ends escaped
  const text = given.replaceAll("\\n", "\n");
  if (/^\s*[{[]/.test(text)) return jwksOf(JSON.parse(text) as JsonWebKey | JsonWebKey[]);
  return text.match(PEM) ?? [];
}

function jwksOf(value: JsonWebKey | JsonWebKey[]): JsonWebKey[] {
  if (Array.isArray(value)) return value;
  const { keys } = value;
  return Array.isArray(keys) ? (keys as JsonWebKey[]) : [value];
}

/** Null for what is no public key that is fit for use. */
function readPublicKey(part: PublicKeySource): VerifyingKey | null {
  // Node would take the public half of a private key, which has no business here
  const isPrivate = typeof part === "string" ? part.includes("PRIVATE KEY") : part["d"] !== undefined;
  if (isPrivate) return null;
  const key = createPublicKey(typeof part === "string" ? part : { key: part, format: "jwk" });
  const algorithms = algorithmsOf(key);
  const kid = typeof part === "string" ? undefined : part["kid"];
  return algorithms === null ? null : { key, algorithms, kid: typeof kid === "string" ? kid : null };
}

/** The algorithms that go with a key; null: the key is not fit for use. [JWT-1] [JWT-2] */
function algorithmsOf(key: KeyObject): readonly string[] | null {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      return modulusLength >= 2048 ? ["RS256"] : null;
    case "ec":
      return namedCurve === "prime256v1" ? ["ES256"] : null;
    case "ed25519":
      return EDDSA;
    default:
      return null;
  }
}
