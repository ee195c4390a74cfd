/**
 * The commits that clients of rollouts pull (interface section 8): one line for all of them, so that any later commit
 * descends from any earlier one, and a plain `git pull` goes forward whatever a client was served before.
 */
export type Link = {
  /** The tree of this commit: main's, with the manifests of rollouts in it. */
  readonly tree: string;
  /** Main's tip when it was made, one of its parents; the other is the link before. */
  readonly main: string;
};

/** The rollouts that a client was admitted to and that still matter, in order: `3,7`; empty for the plain view. */
export type ViewKey = string;

export type Chain = {
  readonly links: readonly Link[];
  /** The last link, as an index, that any client of a view was served. */
  readonly served: ReadonlyMap<ViewKey, number>;
};

/** What a client is to be served now. */
export type Wanted = Link & {
  readonly view: ViewKey;
  /** No link before this index: what the client may have been served in views that it had before. */
  readonly since: number;
};

/**
 * The index of the link that serves a client. Where it is `links.length`, the link is still to be made. Clients of one
 * view share their links, so that the line grows with views and releases and not with clients.
 */
export function linkFor({ links, served }: Chain, { tree, main, view, since }: Wanted): number {
  const first = Math.max(since, served.get(view) ?? 0);
  for (let index = links.length - 1; index >= first; index -= 1) {
    const link = links[index];
    // Branches only move forward: what was made before main's tip came does not have it.
    if (link?.main !== main) break;
    if (link.tree === tree) return index;
  }
  return links.length;
}

/** The chain after a client was served; to be durable before the answer. */
export function serve(
  { links, served }: Chain,
  wanted: Wanted,
): { readonly chain: Chain; readonly index: number } {
  const index = linkFor({ links, served }, wanted);
  const { tree, main, view } = wanted;
  return {
    index,
    chain: {
      links: index === links.length ? [...links, { tree, main }] : links,
      served: new Map(served).set(view, index),
    },
  };
}

/** `since` of a client whose view changes: it was served no later link than the clients of its view before. */
export function sinceAfter({ served }: Pick<Chain, 'served'>, since: number, before: ViewKey): number {
  return Math.max(since, served.get(before) ?? 0);
}
