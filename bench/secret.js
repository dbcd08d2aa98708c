// @ts-check
/** What the relay that asks for tokens and its clients share. Of no worth to anybody. */
export const SECRET = "a secret of the bench, which is none";
/** The service that its tokens are for. */
export const AUDIENCE = "bench";
/** The site that its pages are of. */
export const ORIGIN = "https://app.example";
