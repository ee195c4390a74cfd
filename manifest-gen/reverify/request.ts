import type { BucketRepository, Channel } from '../published/bucket/repository.ts';
import type { FeedHttp } from '../published/feed/http.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import type { Cache } from '../system/cache/cache.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { Toolkit } from '../toolkit.ts';

/** Where the evidence is repeated; `workDir` is this tool's own and gone afterwards. */
export type RepeatPlace = {
  readonly toolkit: Toolkit;
  readonly feed: FeedHttp;
  readonly endpoints: Endpoints;
  readonly bucket: BucketRepository;
  readonly workDir: string;
};
/** What of it is repeated, and how strictly. */
export type RepeatManner = {
  readonly channel: Channel;
  /** A Go module is built again, which takes minutes; else what the checksum database says of it is all that is repeated. */
  readonly isRebuilt: boolean;
  /** Whoever promotes believes nothing that the package says of its recipe: it must be what today's recipe makes. */
  readonly isOfToday?: boolean;
  /** No source is asked: what can be compared without one is. */
  readonly isOffline?: boolean;
  /** A release over the network and a bundle may stand for each other: the files are the same. */
  readonly isEitherWay?: boolean;
  /** What other sources of the tool have of it is left out: the release rests on the recorded one. */
  readonly isRecordedSourceOnly?: boolean;
  /** Where upstream's files go; else a folder that is empty, so that what is said to be downloaded again really is. */
  readonly cache?: Cache | undefined;
};

export type RepeatRequest = RepeatManner & {
  readonly tool: Tool;
  /** Undefined: what the branch offers now. */
  readonly version: string | undefined;
};
