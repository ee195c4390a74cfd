import type { Feed } from './feed.ts';
import type { Fixtures } from './fixtures.ts';
import type { Journal } from './journal.ts';
import type { Publisher } from './publisher.ts';
import type { Samples } from './samples.ts';

/** All that a check may look at. */
export type Context = {
  readonly feed: Feed;
  readonly samples: Samples;
  readonly journal: Journal;
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  /** In push mode alone. */
  readonly push?: { readonly publisher: Publisher; readonly fixtures: Fixtures } | undefined;
};
