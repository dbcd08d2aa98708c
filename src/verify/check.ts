/** What one check of a server is, and what it says. */
import type { Scene } from "./scene.ts";

/** What was measured, by name; the unit is part of the name. */
export type Figures = Readonly<Record<string, number>>;

/** What a check says of a rule. */
export type Judgement =
  | { readonly verdict: "kept"; readonly figures: Figures }
  | {
      readonly verdict: "broken";
      readonly figures: Figures;
      /** What a user of that server would see. */
      readonly seen: string;
    }
  | { readonly verdict: "untried"; readonly why: string };

export interface Check {
  /** The rule of SPEC.md that it is about. */
  readonly rule: string;
  /** What a server that keeps the rule does, in one sentence. */
  readonly title: string;
  /** What it could harm, so that it is only tried when asked for; null: nothing. */
  readonly abuse: string | null;
  /** How long it takes at most, s. */
  readonly seconds: number;
  /** What it needs that is not always given. */
  readonly needs?: "tokens" | "origin" | "y-websocket";
  run(scene: Scene): Promise<Judgement>;
}

export const kept = (figures: Figures = {}): Judgement => ({ verdict: "kept", figures });

export const broken = (seen: string, figures: Figures = {}): Judgement => ({ verdict: "broken", seen, figures });

export const untried = (why: string): Judgement => ({ verdict: "untried", why });

/** Kept where nothing was noticed; else what was. */
export function judged(noticed: readonly string[], figures: Figures = {}): Judgement {
  return noticed.length === 0 ? kept(figures) : broken(noticed.join("; "), figures);
}

/** ms, as people read them. */
export function inWords(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
