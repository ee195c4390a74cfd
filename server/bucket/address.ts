import { fail } from '../errors.ts';
import type { Channel } from './push.ts';

/** A git client's request. `read`: fetch and clone; `write`: push. */
export type GitAddress = {
  readonly channel: Channel;
  /** Whose view of `main` it is, as written; undefined for everybody's. */
  readonly client: string | undefined;
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  readonly access: 'read' | 'write';
  /** `info/refs` lists the branches; the service's other request carries objects. */
  readonly isAdvertisement: boolean;
};

const form = /^\/git\/(?:(main|beta)|c\/([^/]+))\/go-win-tools(?:\.git)?(?:\/(.*))?$/;

/**
 * Parses the smart protocol's three addresses below each of the two buckets and those of clients (contract section 3), with and
 * without `.git`. `path` is the raw path: it is neither decoded nor joined, so nothing else can be reached.
 * @throws FeedError BUCKET_UNKNOWN, CLIENT_READ_ONLY, GIT_ONLY, GIT_DUMB, METHOD_NOT_ALLOWED
 */
export function readGitAddress(
  method: string,
  path: string,
  service: unknown,
  publicUrl: string,
): GitAddress {
  const [, name, client, rest = ''] = form.exec(path) ?? fail('BUCKET_UNKNOWN');
  const place = { channel: name === 'beta' ? 'beta' : 'main', client } as const;
  if (rest === 'info/refs') {
    requireMethod(method, ['GET', 'HEAD']);
    return addressOf(place, isService(service) ? service : fail('GIT_DUMB'), true);
  }
  if (isService(rest)) {
    requireMethod(method, ['POST']);
    return addressOf(place, rest, false);
  }
  return rest === ''
    ? fail('GIT_ONLY', { url: `${publicUrl}/git/${name ?? `c/${client}`}/go-win-tools.git` })
    : fail('BUCKET_UNKNOWN');
}

function addressOf(
  place: Pick<GitAddress, 'channel' | 'client'>,
  service: GitAddress['service'],
  isAdvertisement: boolean,
): GitAddress {
  const isPush = service === 'git-receive-pack';
  if (isPush && place.client !== undefined) fail('CLIENT_READ_ONLY');
  return { ...place, service, access: isPush ? 'write' : 'read', isAdvertisement };
}

function isService(text: unknown): text is GitAddress['service'] {
  return text === 'git-upload-pack' || text === 'git-receive-pack';
}

function requireMethod(method: string, allowed: readonly string[]): void {
  if (!allowed.includes(method)) {
    fail('METHOD_NOT_ALLOWED', { method, allowed: allowed.join(', ') });
  }
}
