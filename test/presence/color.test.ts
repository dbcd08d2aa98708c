import { describe, expect, it } from "vitest";
import { colorOf, withColor } from "../../src/presence/index.ts";

const ids = Array.from({ length: 2_000 }, (_, i) => (i % 2 === 0 ? `user-${i}` : `${i}@example.org`));

/** Contrast by WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r = 0, g = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function hue(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return (Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b) * 180) / Math.PI;
}

describe("a colour made from an id", () => {
  it("[STATE-7] is the same for the same id, in six digits, as editor bindings want it", () => {
    expect(colorOf("alice")).toBe(colorOf("alice"));
    for (const id of ["", "alice", "é", "x".repeat(256), ...ids]) expect(colorOf(id)).toMatch(/^#[0-9a-f]{6}$/);
  });

  it("[STATE-7] is another for another id", () => {
    expect(new Set(ids.map(colorOf)).size).toBeGreaterThan(ids.length * 0.98);
    expect(colorOf("alice1")).not.toBe(colorOf("alice2"));
  });

  it("[STATE-7] can be read on white and on dark", () => {
    for (const color of ids.map(colorOf)) {
      expect(contrast(color, "#ffffff")).toBeGreaterThan(4.4);
      expect(contrast(color, "#121212")).toBeGreaterThan(3.5);
    }
  });

  it("[STATE-7] is of any hue, none much more often than another", () => {
    const sectors = Array<number>(6).fill(0);
    for (const id of ids) sectors[Math.floor(((hue(colorOf(id)) + 360) % 360) / 60)]! += 1;
    for (const count of sectors) expect(count).toBeGreaterThan(ids.length / 12);
  });

  it("[STATE-7] is given to those alone who have none", () => {
    const color = colorOf("alice");
    expect(withColor({ id: "alice", name: "Alice" })).toEqual({
      id: "alice",
      name: "Alice",
      color,
      colorLight: `${color}33`,
    });
    const blue = { id: "alice", color: "#00f" };
    expect(withColor(blue)).toBe(blue);
  });
});
