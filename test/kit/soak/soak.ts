import type { History } from './history.ts';

/** What all who change and read the feed share. */
export type Soak = {
  readonly url: string;
  readonly histories: readonly History[];
  /** SHA-256 of each package, by id and version. */
  readonly digests: Map<string, string>;
  /** Whole downloads, by id and version. */
  readonly downloads: Map<string, number>;
  readonly isOver: () => boolean;
  /** Notes an answer that the feed may not give. */
  readonly report: (wrong: string) => void;
};

/** The beginning of all ids, and a word in all packages. Each id is as long as the others, so that none is part of another. */
export const common = 'soak';

export function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${common}${String(n).padStart(3, '0')}x`);
}

export function keyOf(id: string, version: string): string {
  return `${id} ${version}`;
}
