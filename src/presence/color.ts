/** A colour for who has none: the same everywhere, as it is made from the id. Pure. */
import type { UserInfo } from "./state.ts";

/** How much of their light the three primaries give. */
const WEIGHTS = [0.2126, 0.7152, 0.0722] as const;
/** Relative luminances of the colours made here: a contrast of 4.5 against white at least, and of 4.1 against black. */
const DARKEST = 0.155;
const LIGHTEST = 0.18;

/**
 * A colour for a user, `#rrggbb`, made from the id: readable as text on white and on dark backgrounds. Different ids have
 * different colours, though of many some look alike.
 */
export function colorOf(userId: string): string {
  const hash = hashOf(userId);
  const wanted = DARKEST + ((hash >>> 24) / 0x100) * (LIGHTEST - DARKEST);
  const bytes = [0, 8, 16].map((shift) => ((hash >>> shift) & 0xff) + 1);
  // linear light, with little grey in it
  const light = bytes.map((byte) => (byte - Math.min(...bytes) * 0.9) / Math.max(...bytes));
  const luminance = light.reduce((sum, each, i) => sum + each * (WEIGHTS[i] ?? 0), 0);
  // made darker, or mixed with white where that is too dark
  const white = Math.max(0, (wanted - luminance) / (1 - luminance));
  const shade = Math.min(1, wanted / luminance);
  return `#${light.map((each) => hex((each + (1 - each) * white) * shade)).join("")}`;
}

/** [STATE-7] The user, with a colour made from the id where there is none. */
export function withColor(user: UserInfo): UserInfo {
  if (user.color !== undefined) return user;
  const color = colorOf(user.id);
  return { ...user, color, colorLight: user.colorLight ?? `${color}33` };
}

/** FNV-1a, and a last stir: ids that differ in their last letter only differ everywhere. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const unit of text) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
}

/** Two digits of sRGB for linear light; a power of 2.2 is near enough to its curve. */
const hex = (light: number): string =>
  Math.round(light ** (1 / 2.2) * 255)
    .toString(16)
    .padStart(2, "0");
