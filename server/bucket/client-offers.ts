import { createHash } from 'node:crypto';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { fail } from '../errors.ts';

/** What a client sees of a held version (rollout/views.ts). */
export type ClientGrant = {
  readonly tool: string;
  readonly version: string;
  readonly isListed: boolean;
  /** 0: of none. */
  readonly rollout: number;
  /** `published`: everybody is to get it, and main does not have it yet. */
  readonly is: 'version' | 'correction' | 'published';
};

/** Where the manifest of a granted version is. */
export type Manifests = {
  find(tool: string, version: string): Promise<{ readonly text: string } | undefined>;
};

/** A manifest that a client is offered in place of main's. */
export type Offer = ClientGrant & { readonly text: string };

/**
 * What a view offers beyond main: for each tool the highest version that is granted and listed, where main offers no higher
 * one. By tool.
 * @throws FeedError CLIENT_VIEW_BROKEN where a manifest is missing: without it the client would go back
 */
export async function offersBeyond(
  main: ReadonlyMap<string, { readonly version: string }>,
  grants: readonly ClientGrant[],
  manifests: Manifests,
): Promise<readonly Offer[]> {
  const highest = new Map<string, ClientGrant>();
  for (const grant of grants) {
    const { version } = highest.get(grant.tool) ?? main.get(grant.tool) ?? {};
    const isAbove = version === undefined || compareScoopVersions(grant.version, version) > 0;
    if (grant.isListed && isAbove) highest.set(grant.tool, grant);
  }
  const sorted = [...highest.values()].sort((one, other) => (one.tool < other.tool ? -1 : 1));
  return Promise.all(
    sorted.map(async (grant) => {
      const { tool, version } = grant;
      const { text } = (await manifests.find(tool, version)) ?? fail('CLIENT_VIEW_BROKEN', { tool, version });
      return { ...grant, text };
    }),
  );
}

/** Equal for equal trees on one commit of main, as it is stored with a link: tool, version and blob of each. */
export function printOffers(offers: readonly Pick<Offer, 'tool' | 'version' | 'text'>[]): string {
  return JSON.stringify(offers.map(({ tool, version, text }) => [tool, version, blobOf(text)]));
}

export function parseOffers(printed: string): { tool: string; version: string; blob: string }[] {
  const offers = JSON.parse(printed) as [tool: string, version: string, blob: string][];
  return offers.map(([tool, version, blob]) => ({ tool, version, blob }));
}

/** git's id of a blob in a SHA-1 repository, which the bucket is. */
export function blobOf(text: string): string {
  const bytes = Buffer.from(text);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
