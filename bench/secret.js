// @ts-check
/** What the relay that asks for tokens and its clients share. Of no worth to anybody. */
export const SECRET = "a secret of the bench, which is none";
