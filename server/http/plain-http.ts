import { isLoopbackAddress } from '../../formats/ip-address.ts';
import type { Logger } from '../log.ts';
import type { FindKey } from './auth.ts';

const warning =
  'a key came over plain http from another machine: whoever is on the way can read it. Set TLS_CERT_FILE and TLS_KEY_FILE, or put a proxy with TLS in front and name it in TRUST_PROXY; then rotate the key';

/** Warns about each valid key that was sent where others can read it, once: the log is not the place to count. */
export function warnOfPlainHttp(findKey: FindKey, log: Pick<Logger, 'warn'>): FindKey {
  const warned = new Set<string>();
  return async (secret, peer) => {
    const finding = await findKey(secret, peer);
    if (finding === undefined || finding.refusal !== undefined || peer.isSecure) return finding;
    const { keyId, name } = finding.key;
    if (warned.has(keyId) || isLoopbackAddress(peer.address ?? '')) return finding;
    warned.add(keyId);
    log.warn({ keyName: name, from: peer.address }, warning);
    return finding;
  };
}
