/** A colour for who has none: the same everywhere, as it is made from the id. Pure. */
import type { UserInfo } from "./state.ts";

/** Relative luminances of the colours made here: a contrast of 4.5 against white at least, and of 4.1 against black. */
const DARKEST = 0.155;
const LIGHTEST = 0.183;
/** How much of their light the three primaries give. */
const WEIGHTS = [0.2126, 0.7152, 0.0722] as const;

/**
 * A colour for a user, `#rrggbb`, made from the id: readable as text on white and on dark backgrounds. Different ids have
 * different colours, though of many some look alike.
 */
export function colorOf(userId: string): string {
  const hash = hashOf(userId);
  const hue = ((hash & 0xffff) / 0x10000) * 6;
  const grey = (((hash >>> 16) & 0xff) / 0x100) * 0.2;
  const wanted = DARKEST + ((hash >>> 24) / 0x100) * (LIGHTEST - DARKEST);
  // linear light of the pure hue, less pure by some grey
  const pure = [0, 4, 2].map((offset) => {
    const light = Math.min(1, Math.max(0, Math.abs(((hue + offset) % 6) - 3) - 1));
    return light + (0.5 - light) * grey;
  });
  const luminance = pure.reduce((sum, light, i) => sum + light * (WEIGHTS[i] ?? 0), 0);
  const white = Math.max(0, (wanted - luminance) / (1 - luminance));
  const shade = Math.min(1, wanted / luminance);
  return `#${pure.map((light) => hex(white > 0 ? light + (1 - light) * white : light * shade)).join("")}`;
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
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Two digits of sRGB for linear light. */
function hex(light: number): string {
  const value = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(value * 255)
    .toString(16)
    .padStart(2, "0");
}
