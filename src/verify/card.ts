/** The score card of a server: as text for people, as JSON for programs. */
import type { Finding } from "./verify.ts";

export interface Card {
  readonly url: string;
  readonly protocol: string;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly kept: number;
  readonly broken: number;
  readonly untried: number;
  readonly findings: readonly Finding[];
}

export function cardOf(findings: readonly Finding[], about: Pick<Card, "url" | "protocol" | "startedAt">): Card {
  const count = (verdict: string): number => findings.filter(({ judgement }) => judgement.verdict === verdict).length;
  return { ...about, kept: count("kept"), broken: count("broken"), untried: count("untried"), findings };
}

/** The card for people: a line for each rule, and below it what a user would see. */
export function cardAsText({ url, protocol, kept, broken, untried, findings }: Card): string {
  return [
    `${url} (${protocol}): ${kept} kept, ${broken} broken, ${untried} not tried`,
    "",
    ...findings.flatMap(linesOf),
    "",
  ].join("\n");
}

/** The card as one JSON object. [VERIFY-3] */
export function cardAsJson(card: Card): string {
  const findings = card.findings.map(({ rule, title, judgement }) => ({ rule, title, ...judgement }));
  return `${JSON.stringify({ ...card, findings }, null, 2)}\n`;
}

const MARKS = { kept: "kept   ", broken: "BROKEN ", untried: "–      " } as const;

function linesOf({ rule, title, judgement }: Finding): string[] {
  const head = `${MARKS[judgement.verdict]} ${rule.padEnd(8)} ${title}`;
  const indent = " ".repeat(17);
  switch (judgement.verdict) {
    case "kept":
      return [head + figuresOf(judgement.figures, " — ")];
    case "broken":
      return [head, `${indent}${judgement.seen}${figuresOf(judgement.figures, " — ")}`];
    case "untried":
      return [head, `${indent}not tried: ${judgement.why}`];
  }
}

/** `sees others after, ms: 12.3` as `sees others after 12 ms`. */
function figuresOf(figures: Readonly<Record<string, number>>, before: string): string {
  const parts = Object.entries(figures)
    .filter(([, value]) => Number.isFinite(value))
    .map(([name, value]) => {
      const isMs = name.endsWith(", ms");
      return isMs ? `${name.slice(0, -4)} ${Math.round(value)} ms` : `${name}: ${Math.round(value)}`;
    });
  return parts.length === 0 ? "" : before + parts.join(", ");
}
