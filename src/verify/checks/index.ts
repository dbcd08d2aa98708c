/** All checks, in the order of the card. */
import type { Check } from "../check.ts";
import { documents } from "./documents.ts";
import { hidden } from "./hidden.ts";
import { identity } from "./identity.ts";
import { leaving } from "./leaving.ts";
import { malformedChecks } from "./malformed.ts";
import { meeting } from "./meeting.ts";
import { owning } from "./owning.ts";
import { returning } from "./returning.ts";

export const checks: readonly Check[] = [
  ...meeting,
  ...leaving,
  ...returning,
  ...hidden,
  ...owning,
  ...identity,
  ...documents,
  ...malformedChecks,
];
