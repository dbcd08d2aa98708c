/** What tokens are verified with. The algorithms follow from the kind of key, never from the token. */
import { type JsonWebKey, type KeyObject, createPublicKey } from "node:crypto";
import { type JWTVerifyGetKey, createRemoteJWKSet } from "jose";

/** Where the key comes from: exactly one of these. */
export interface KeySource {
  /** Shared with whoever signs (HS256): at least 32 bytes, and known to nobody else. */
  readonly secret?: string;
  /** PEM or JWK of an RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA) key. */
  readonly publicKey?: string | JsonWebKey;
  /** Where the signer publishes its public keys, as a JWK set. */
  readonly jwksUrl?: string;
}

export interface VerifyingKey {
  readonly key: Uint8Array | KeyObject | JWTVerifyGetKey;
  readonly algorithms: readonly string[];
}

const MIN_SECRET_BYTES = 32;
const EDDSA = ["EdDSA", "Ed25519"];
/** How long the set may take to come, ms. */
const JWKS_TIMEOUT_MS = 5_000;

/** What a key is called in an error: in the API, or on the command line. */
export type KeyNames = Readonly<Record<keyof KeySource, string>>;
const API_NAMES: KeyNames = { secret: "secret", publicKey: "publicKey", jwksUrl: "jwksUrl" };

/** Throws a `RangeError` that says what is wrong with the source; it never holds the key. */
export function verifyingKey(source: KeySource, names: KeyNames = API_NAMES): VerifyingKey {
  const { secret, publicKey, jwksUrl } = source;
  const given = (["secret", "publicKey", "jwksUrl"] as const).filter((name) => source[name] !== undefined);
  if (given.length !== 1) {
    const all = Object.values(names).join(", ");
    if (given.length === 0) throw new RangeError(`one of ${all} is needed`);
    throw new RangeError(`only one of ${all} can be given, not ${given.map((name) => names[name]).join(" and ")}`);
  }
  if (secret !== undefined) return { key: secretKey(secret, names.secret), algorithms: ["HS256"] };
  if (publicKey !== undefined) return readPublicKey(publicKey, names.publicKey);
  return { key: remoteKeys(jwksUrl ?? "", names.jwksUrl), algorithms: ["RS256", "ES256", ...EDDSA] };
}

function secretKey(secret: string, name: string): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= MIN_SECRET_BYTES) return bytes;
  throw new RangeError(
    `${name} must be at least ${MIN_SECRET_BYTES} bytes long, or it can be guessed: try "openssl rand -base64 48"`,
  );
}

/** Whether a text is a key itself, not the path of a file with one. */
export function isKeyText(text: string): boolean {
  return /^\s*(-----BEGIN|\{)/.test(text);
}

function readPublicKey(given: string | JsonWebKey, name: string): VerifyingKey {
  const refused = new RangeError(
    `${name} must be the PEM or JWK of a public key: RSA of at least 2048 bits, P-256 or Ed25519`,
  );
  // variables often hold a PEM with its line ends escaped
  const text = typeof given === "string" ? given.replaceAll("\\n", "\n") : null;
  let jwk = typeof given === "string" ? null : given;
  let key: KeyObject;
  try {
    if (text !== null && text.trimStart().startsWith("{")) jwk = JSON.parse(text) as JsonWebKey;
    if (jwk !== null && jwk["d"] !== undefined) throw refused;
    // Node would take the public half of a private key, which has no business here
    if (text?.includes("PRIVATE KEY") === true) throw refused;
    key = createPublicKey(jwk === null ? (text ?? "") : { key: jwk, format: "jwk" });
  } catch {
    throw refused;
  }
  const algorithms = algorithmsOf(key);
  if (algorithms === null) throw refused;
  return { key, algorithms };
}

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

function remoteKeys(url: string, name: string): JWTVerifyGetKey {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !["https:", "http:"].includes(parsed.protocol)) {
    throw new RangeError(`${name} must be an http or https URL`);
  }
  return createRemoteJWKSet(parsed, { timeoutDuration: JWKS_TIMEOUT_MS });
}
