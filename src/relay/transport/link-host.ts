import type { Frame } from "../../wire/index.ts";

/** Acts on what is said to a link itself, and not to one of its channels. */
export interface LinkHost {
  /** By what name the other end knows the link among its channels. */
  readonly name: string;
  /** Throws `FrameError`. */
  take(frame: Frame, now: number): void;
  /** A channel is over. */
  left(channel: string): void;
  /** The link is over, after all of its channels. */
  ended(): void;
}
