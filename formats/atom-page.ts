import { childOf, childrenOf, type Element } from './xml-tree.ts';

/** One entry of a v2 feed, exactly as another program wrote it (spec nuget-v2 9.4). */
export type AtomEntry = {
  readonly element: Element;
  /** d:Id, or else the title, as choco 2.x reads it: the community repository has no d:Id. Empty when both are missing. */
  readonly id: string;
  /** d:Version as written; empty when missing. */
  readonly version: string;
  readonly atomId: string;
  /** The address of the package's bytes. */
  readonly source: string | undefined;
  /** By local name, so that the namespace's year does not matter. */
  readonly properties: ReadonlyMap<string, Element>;
};

/** A page of a v2 feed, exactly as another program wrote it (spec nuget-v2 9.3). */
export type AtomPage = {
  readonly root: Element;
  readonly entries: readonly AtomEntry[];
  readonly next: string | undefined;
  /** m:count */
  readonly count: number | undefined;
};

/** Undefined when the root is neither feed nor entry. A single entry counts as a page of one. */
export function readAtomPage(root: Element): AtomPage | undefined {
  if (root.name === 'entry') return { root, entries: [readEntry(root)], next: undefined, count: undefined };
  if (root.name !== 'feed') return undefined;
  const count = childOf(root, 'count')?.text.trim() ?? '';
  return {
    root,
    entries: childrenOf(root, 'entry').map(readEntry),
    next: childrenOf(root, 'link')
      .find((link) => link.attributes.get('rel') === 'next')
      ?.attributes.get('href'),
    count: /^\d+$/.test(count) ? Number(count) : undefined,
  };
}

/** The text of a property; empty when it is absent. */
export function propertyOf({ properties }: Pick<AtomEntry, 'properties'>, name: string): string {
  return properties.get(name)?.text.trim() ?? '';
}

function readEntry(element: Element): AtomEntry {
  const content = childOf(element, 'content');
  // Next to the content (media-link entries), or inside it.
  const list = childOf(element, 'properties') ?? childOf(content, 'properties');
  const properties = new Map((list?.children ?? []).map((child) => [child.name, child]));
  return {
    element,
    id: propertyOf({ properties }, 'Id') || (childOf(element, 'title')?.text.trim() ?? ''),
    version: propertyOf({ properties }, 'Version'),
    atomId: childOf(element, 'id')?.text.trim() ?? '',
    source: content?.attributes.get('src'),
    properties,
  };
}
