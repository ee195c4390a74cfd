import { isLocalHost } from '../../../formats/ip-address.ts';
import type { Config } from '../../config.ts';
import { isWildcard } from '../../listener.ts';
import { type Check, type Finding, ok, warn } from './check.ts';

/** Settings that could not be used would have ended the verb with exit code 2; these can, and do what hardly anybody wants. */
export const settings: Check = {
  name: 'settings',
  look: async ({ config }) => judgeSettings(config),
};

export function judgeSettings({ publicUrl, host }: Pick<Config, 'publicUrl' | 'host'>): Finding {
  if (publicUrl === undefined)
    return isWildcard(host) || !isLocalHost(host)
      ? warn(
          'PUBLIC_URL is not set, so that links and manifests have an address that works on this machine only',
          'set PUBLIC_URL to the address that clients use',
        )
      : ok('valid; without PUBLIC_URL it serves this machine alone');
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === 'http:' && !isLocalHost(hostname))
    return warn(
      `PUBLIC_URL is ${publicUrl}: keys and packages travel where others can read and change them`,
      'give the server a certificate (TLS_CERT_FILE, TLS_KEY_FILE) or a proxy with one, and change PUBLIC_URL to https',
    );
  return ok(`valid; PUBLIC_URL is ${publicUrl}`);
}
