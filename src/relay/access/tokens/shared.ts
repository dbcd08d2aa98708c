/**
 * What is found out about a token, for all who ask within a second: a tab asks for all its rooms at once, each with the same
 * token, and again with each newer one. [LINK-12]
 */
/** For longer nothing is believed of a token: keys and time may say otherwise then, ms. */
const SHARED_MS = 1_000;
/** Of so many tokens it is kept; of more, that of the first is forgotten. */
const MAX_TOKENS = 1_000;

/**
 * @param isGood whether what was found is kept for others: what is refused, or could not be found out, is asked anew
 * @param now by a clock that only goes forward, ms
 */
export function sharedReader<Found>(
  read: (token: string) => Promise<Found>,
  isGood: (found: Found) => boolean,
  now: () => number = () => performance.now(),
): (token: string) => Promise<Found> {
  type Answer = Promise<Found>;
  /** By token, the one that was asked first comes first. */
  const known = new Map<string, { readonly answer: Answer; readonly at: number }>();
  const forgetUnlessGood = async (token: string, answer: Answer): Promise<void> => {
    const good = await answer.then(isGood, () => false);
    if (!good && known.get(token)?.answer === answer) known.delete(token);
  };
  return (token) => {
    for (const [other, { at }] of known) {
      if (now() - at < SHARED_MS && known.size < MAX_TOKENS) break;
      known.delete(other);
    }
    const shared = known.get(token);
    if (shared !== undefined) return shared.answer;
    const answer = read(token);
    known.set(token, { answer, at: now() });
    void forgetUnlessGood(token, answer);
    return answer;
  };
}
