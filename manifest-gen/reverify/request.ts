import type { Cache } from '../../system/cache/cache.ts';
import type { Channel } from '../published/bucket/repository.ts';
import type { Tool } from '../tool-file/tools.ts';

/** What is repeated, and how strictly. */
export type RepeatRequest = {
  readonly tool: Tool;
  /** Undefined: what the branch offers now. */
  readonly version: string | undefined;
  readonly channel: Channel;
  /** Builds a Go module again, which takes minutes; otherwise only the checksum database is asked again. */
  readonly isRebuilt: boolean;
  /** A promotion does not trust the package's recipe: it must be what today's recipe makes. */
  readonly isOfToday?: boolean;
  /** No source is asked: what can be compared without one is. */
  readonly isOffline?: boolean;
  /**
   * The files are what counts, and they are those of the recorded source: the network and a bundle may replace each other, and what
   * other sources of the tool have is left out.
   */
  readonly isProof?: boolean;
  /** Where upstream's files go; by default an empty folder, so that they are really downloaded again. */
  readonly cache?: Cache | undefined;
};
