import type { BenchPackage } from '../packages.ts';
import type { Feed, Reference } from '../servers.ts';

export type InUse = {
  readonly start: () => Promise<Feed>;
  /** Where a feed that is started has its data. */
  readonly dataDir: string;
  readonly bare: Reference;
  /** Writes files durably and nothing else. */
  readonly files: Reference;
  readonly packages: readonly BenchPackage[];
};

/** A process of its own, so that nothing is in its memory yet. */
export async function withOneFeed<T>({ start }: InUse, use: (feed: Feed) => Promise<T>): Promise<T> {
  const feed = await start();
  try {
    return await use(feed);
  } finally {
    await feed.stop();
  }
}
