import { hash } from 'node:crypto';
import type { PackageRow } from '../catalog/catalog.ts';
import { type Body, joinBody, type Part, sizeOf, writeBody } from '../http/body.ts';
import { createPause, type Pause } from '../pause.ts';
import { entryOf, uncached } from './entry.ts';
import type { FeedLinks } from './links.ts';
import { createLongFeeds } from './long-feeds.ts';
import { dateTime, escapeXml, namespaces, xmlDeclaration } from './xml.ts';

export type Feed = {
  /** `Packages`, `Search`, ... */
  readonly title: string;
  readonly rows: readonly PackageRow[];
  /** The number of all matches, if the client asked for it (`$inlinecount=allpages`). */
  readonly total?: number | undefined;
  /**
   * The address of the next page after the last entry shown; undefined at the end. Absolute: NuGet.Client uses it unmodified
   * (spec nuget-v2 9.7).
   */
  readonly next?: (shown: number) => string | undefined;
};

export type Rendered = {
  readonly text: Body;
  /** Shorter than the text, and equal exactly when the text is, so its hash can be an ETag (test/server/odata/atom.test.ts). */
  readonly identity: string;
};

/** The maximum size of a feed; it ends with the entry that exceeds this. Six thousand entries of 5 KB fit. */
const maxFeedBytes = 32 * 1024 ** 2;
/** Longer texts are joined in pieces, so that the event loop is never blocked for long. */
const pieceBytes = 1024 ** 2;

/** Written one at a time: together they would fill the memory before the first of them is complete. */
const longFeeds = createLongFeeds();

/** A feed document (spec nuget-v2 9.3). With thousands of entries, it pauses to let other requests run. */
export async function renderFeed(
  { title, rows, total, next }: Feed,
  links: FeedLinks,
  maxBytes: number = maxFeedBytes,
): Promise<Rendered> {
  // Taken from the rows instead of the clock, so that the same answer has the same ETag.
  const updated = new Date(rows.reduce((newest, row) => Math.max(newest, row.lastEdited.getTime()), 0));
  const head =
    `${xmlDeclaration}<feed ${declarations(links)}>${total === undefined ? '' : `<m:count>${total}</m:count>`}` +
    `<title type="text">${title}</title><id>${escapeXml(`${links.base}/${title}`)}</id>` +
    `<updated>${dateTime(updated)}</updated><link rel="self" title="${title}" href="${title}"/>`;
  let identity = `${links.base}\n${title}\n${total}\n${updated.getTime()}`;
  let parts: Part[] = [head];
  /** The first entry that is not joined yet. */
  let start = 0;
  let size = head.length;
  let written = 0;
  let shown = 0;
  const pause = createPause();
  let leave: (() => void) | undefined;
  try {
    for (const row of rows) {
      if (written + size >= maxBytes && shown > 0) break;
      const entry = leave === undefined ? entryOf(row, links) : entryOf(row, links, uncached);
      parts.push(entry.content);
      size += entry.content.length;
      identity += `\n${entry.identity}`;
      shown += 1;
      if (size >= pieceBytes) {
        await pause.take();
        written += size;
        size = 0;
        parts = [...parts.slice(0, start), joinBody(parts.slice(start))];
        start = parts.length;
        // All of it at the end would be two megabytes to hash in one go.
        identity = hash('sha256', identity, 'base64url');
        leave ??= await longFeeds.enter();
      }
      if (pause.isDue()) await pause.take();
    }
    const rest = next?.(shown);
    if (rest !== undefined) parts.push(`<link rel="next" href="${escapeXml(rest)}"/>`);
    parts.push('</feed>');
    identity += `\n${rest}`;
    // Only in its turn, since its pieces and the whole text are in memory at the same time.
    return { text: leave === undefined ? parts : await joinInPieces(parts, pause), identity };
  } finally {
    leave?.();
  }
}

/** Copying tens of megabytes into new memory would hold the thread for longer than anything before it. */
async function joinInPieces(parts: readonly Part[], pause: Pause): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(sizeOf(parts));
  let at = 0;
  for (const part of parts) {
    writeBody([part], whole, at);
    at += sizeOf([part]);
    if (pause.isDue()) await pause.take();
  }
  // Sending it takes some milliseconds too.
  await pause.take();
  return whole;
}

/** The document of one package version (spec nuget-v2 9.4). */
export function renderEntry(row: PackageRow, links: FeedLinks): Rendered {
  const { content, identity } = entryOf(row, links);
  const behindTag =
    typeof content === 'string' ? content.slice('<entry>'.length) : content.subarray('<entry>'.length);
  return {
    text: [`${xmlDeclaration}<entry ${declarations(links)}>`, behindTag],
    identity: `${links.base}\n${identity}`,
  };
}

/** The document of one property: `Packages(...)/Version`. */
export function renderProperty(name: string, value: string): string {
  return `${xmlDeclaration}<${name} xmlns="${namespaces.d}">${escapeXml(value)}</${name}>`;
}

function declarations({ base }: FeedLinks): string {
  return `xml:base="${escapeXml(base)}/" xmlns="${namespaces.atom}" xmlns:d="${namespaces.d}" xmlns:m="${namespaces.m}"`;
}
