import { fail } from '../../errors/release-error.ts';
import { type RebasedManifest, rebaseManifest } from '../build/render/rebase.ts';
import { requireFile } from '../publish/payload.ts';
import type { Channel } from '../published/bucket/repository.ts';
import { ask } from '../published/feed/http.ts';
import { reasonOf } from '../published/feed/refusal.ts';
import type { OpenToolkit } from '../toolkit.ts';

/** Both without a slash at their ends. */
export type Rebase = {
  readonly to: string;
  /** Whose addresses are replaced; undefined for those of the server that each manifest names. */
  readonly from: string | undefined;
};

/** One manifest on one branch that gets another base address. */
export type Move = RebasedManifest & { readonly tool: string; readonly branch: Channel };

/** What a rebase would change, by the branches of the last fetch. */
export async function planMoves(rebase: Rebase, { bucket }: OpenToolkit): Promise<readonly Move[]> {
  const moves: Move[] = [];
  for (const branch of ['main', 'beta'] as const) {
    for (const tool of await bucket.tools(branch)) {
      const text = await bucket.manifest(branch, tool);
      const move = text === undefined ? undefined : rebaseManifest(text, tool, rebase);
      if (move !== undefined) moves.push({ ...move, tool, branch });
    }
  }
  return moves;
}

/**
 * An address that the server does not know as its own would be undone by the next release.
 * @throws ReleaseError REBASE_REFUSED
 */
export function requireOwnAddress(to: string, toolkit: OpenToolkit): void {
  const { endpoints } = toolkit;
  const { publicUrl } = endpoints.addresses;
  if (publicUrl === undefined) {
    const reason = `the feed ${toolkit.config.feedUrl} is not a go-win-tools server, so --from must name the address to replace`;
    fail('REBASE_REFUSED', { to, reason });
  }
  if (publicUrl !== to) {
    const reason = `the PUBLIC_URL of the server is ${publicUrl}, which the next release would write again; start it with PUBLIC_URL=${to} first`;
    fail('REBASE_REFUSED', { to, reason });
  }
}

/**
 * Each file must be at its new address, with the hash in the manifest.
 * @throws ReleaseError PAYLOAD_MISSING, OTHER_BYTES, PLACE_UNREACHABLE, FEED_UNREACHABLE
 */
export async function requireDownloads(
  { tool, version, downloads }: Pick<Move, 'tool' | 'version' | 'downloads'>,
  { to }: Rebase,
  toolkit: OpenToolkit,
): Promise<void> {
  const { feed, endpoints } = toolkit;
  for (const { url, sha256 } of downloads) {
    if (to !== endpoints.addresses.publicUrl) {
      toolkit.report.step(tool, 'look', url);
      await requireFile(feed, { tool, version, url, file: url, sha256 }, false);
      continue;
    }
    // our server serves the hash beside each file, even if the new name does not resolve yet
    const response = await ask(feed, `${feed.serverUrl}${url.slice(to.length)}.sha256`);
    const status = `${response.statusCode} ${reasonOf(response)}`;
    if (response.statusCode !== 200)
      fail('PAYLOAD_MISSING', { tool, version, url, file: url, sha256, status });
    const found = response.body.trim().toLowerCase();
    if (found !== sha256)
      fail('OTHER_BYTES', { tool, version, file: url, expected: `SHA-256 ${sha256}`, found });
  }
}
