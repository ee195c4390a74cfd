/**
 * The commits that clients of rollouts pull (interface section 8): one line for all of them, so that any later commit
 * descends from any earlier one, and a plain `git pull` goes forward whatever a client was served before.
 */
export type Link = {
  /** 1, 2, 3 ... */
  readonly number: number;
  /** Main's tip when it was made, one of its parents; the other is the link before. */
  readonly main: string;
  /** What it has beyond main; equal for equal trees. */
  readonly offers: string;
};

/** What a client is offered beyond main: `buf@1.30.0,delve@1.22.0`; empty where that is nothing. */
export type ViewKey = string;

export function viewOf(offers: readonly { readonly tool: string; readonly version: string }[]): ViewKey {
  return offers.map(({ tool, version }) => `${tool}@${version}`).join(',');
}

/** What is known of a client that was served a link. */
export type ClientHead = {
  /** The view that it had last. */
  readonly view: ViewKey;
  /** The last link that it may have been served in the views before; 0 for none. */
  readonly since: number;
};

/**
 * A client as it is in this view. It was served no later link than the clients of its view before, so that only a change of
 * views is written down, and not each fetch. `served` answers with the last link that any client of a view was served.
 */
export function headIn(
  view: ViewKey,
  head: ClientHead | undefined,
  served: (view: ViewKey) => number,
): ClientHead {
  if (head === undefined) return { view, since: 0 };
  if (head.view === view) return head;
  return { view, since: Math.max(head.since, served(head.view)) };
}

/**
 * The link that serves a client, undefined where it is still to be made. Clients of one view share their links, so that the line
 * grows with views and releases and not with clients. `links`: newest first.
 */
export function linkFor<L extends Link>(
  links: Iterable<L>,
  { main, offers }: Pick<Link, 'main' | 'offers'>,
  { since }: ClientHead,
  served: number,
): L | undefined {
  for (const link of links) {
    // Branches only move forward: what was made before main's tip came does not have it.
    if (link.number < Math.max(since, served) || link.main !== main) return undefined;
    if (link.offers === offers) return link;
  }
  return undefined;
}
