import type { BucketRepository, Channel } from '../publish/bucket-repository.ts';
import type { FeedHttp } from '../publish/feed-http.ts';
import type { Places } from '../publish/server-info.ts';
import type { Tool } from '../tools.ts';
import type { World } from '../world.ts';

/** Where the evidence is repeated; `workDir` is this tool's own and gone afterwards. */
export type RepeatPlace = {
  readonly world: World;
  readonly feed: FeedHttp;
  readonly places: Places;
  readonly bucket: BucketRepository;
  readonly workDir: string;
};
export type RepeatRequest = {
  readonly tool: Tool;
  /** Undefined: what the branch offers now. */
  readonly version: string | undefined;
  readonly channel: Channel;
  /** A Go module is built again, which takes minutes; else what the checksum database says of it is all that is repeated. */
  readonly isRebuilt: boolean;
};
