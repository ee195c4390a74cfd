import { isLocalHost } from '../../../formats/ip-address.ts';
import type { Config } from '../../config.ts';
import { isWildcard } from '../../listener.ts';
import { type Check, type Finding, ok, warn } from './check.ts';

/** Settings that could not be used would have ended the verb with exit code 2; these can, and do what hardly anybody wants. */
export const settings: Check = {
  name: 'settings',
  look: async ({ config }) => judgeSettings(config),
};

export function judgeSettings({
  publicUrl,
  host,
  trustProxy,
}: Pick<Config, 'publicUrl' | 'host' | 'trustProxy'>): Finding {
  const servesOthers = isWildcard(host) || !isLocalHost(host) || trustProxy !== undefined;
  if (publicUrl === undefined)
    return servesOthers
      ? warn(
          'PUBLIC_URL is not set, so that links and manifests have an address that works on this machine only',
          'set PUBLIC_URL to the address that clients use',
        )
      : ok('valid; without PUBLIC_URL it serves this machine alone');
  const { protocol, hostname } = new URL(publicUrl);
  if (servesOthers && isLocalHost(hostname))
    return warn(
      `others are served, and PUBLIC_URL is ${publicUrl}, which works on this machine only`,
      'set PUBLIC_URL to the address that clients use, then run bucket:rebase with it: it is in what was released until now',
    );
  if (protocol === 'http:' && !isLocalHost(hostname))
    return warn(
      `PUBLIC_URL is ${publicUrl}: keys and packages travel where others can read and change them`,
      'give the server a certificate (TLS_CERT_FILE, TLS_KEY_FILE) or a proxy with one, and change PUBLIC_URL to https',
    );
  return ok(`valid; PUBLIC_URL is ${publicUrl}`);
}
