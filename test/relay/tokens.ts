/** What tests of access share: a secret, and tokens that are signed with it. */
import { type JWTPayload, SignJWT } from "jose";

export const SECRET = "a secret of more than thirty-two bytes, for tests alone";

/** @param expiresIn seconds from now; null: never */
export function tokenFor(
  claims: JWTPayload & Record<string, unknown>,
  options: { readonly secret?: string; readonly expiresIn?: number | null } = {},
): Promise<string> {
  const { secret = SECRET, expiresIn = 3_600 } = options;
  const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt();
  if (expiresIn !== null) token.setExpirationTime(Math.floor(Date.now() / 1_000) + expiresIn);
  return token.sign(new TextEncoder().encode(secret));
}
