import { messageOf } from '../../../formats/thrown.ts';
import type { Git } from './git.ts';

/**
 * git at the bucket's address. What that needs is found out once: its key for reading (READ_AUTH=all), and NODE_EXTRA_CA_CERTS. git can only trust a
 * file of authorities instead of the machine's own, so it tries the machine's first and that file for a certificate that they do
 * not know.
 */
export function createBucketRemote(git: Git) {
  let isKeyWanted = false;
  let isExtraTrusted = false;
  const run = async (args: readonly string[], isKeySent: boolean): Promise<void> => {
    try {
      await git.run(args, { isKeySent, isExtraTrusted });
    } catch (error) {
      if (isExtraTrusted || !git.hasExtraAuthorities || !isUntrusted(error)) throw error;
      isExtraTrusted = true;
      await git.run(args, { isKeySent, isExtraTrusted });
    }
  };
  return {
    /** Without the key until the server asks for one. @throws GitError */
    async read(args: readonly string[]): Promise<void> {
      try {
        await run(args, isKeyWanted);
      } catch (error) {
        if (isKeyWanted || !git.hasKey || !isRefusal(error)) throw error;
        isKeyWanted = true;
        await run(args, true);
      }
    },
    /** @throws GitError */
    push: (args: readonly string[]) => run(args, true),
  };
}

/** git reports it only as text; LC_ALL=C keeps it English. */
export function isRefusal(error: unknown): boolean {
  const words = /\b(401|403)\b|Authentication failed|Permission denied|could not read Username/i;
  return words.test(messageOf(error));
}

/** OpenSSL, GnuTLS and Schannel, which speaks in codes. */
function isUntrusted(error: unknown): boolean {
  return /certificate|SEC_E_UNTRUSTED_ROOT|CERT_E_UNTRUSTEDROOT/i.test(messageOf(error));
}
