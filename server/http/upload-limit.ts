import { addressGroup, isLoopbackAddress } from '../../formats/ip-address.ts';
import { fail } from '../errors.ts';

/** How many uploads may run at once. An import through the server uses up to 64. */
export const uploadLimits = { perKey: 64, perAddress: 128 };

type Uploader = { readonly keyId: string; readonly address: string | undefined };

export type UploadLimit = {
  /** Counts the upload while it runs. @throws FeedError UPLOADS_TOO_MANY before it begins */
  during<T>(uploader: Uploader, upload: () => Promise<T>): Promise<T>;
};

/**
 * Counts all running uploads of this process together: packages, payloads and pushes to the bucket. Addresses of this machine are
 * not counted.
 */
export function createUploadLimit(limits: typeof uploadLimits = uploadLimits): UploadLimit {
  const running = new Map<string, number>();

  function take(name: string, limit: number, what: string): void {
    const count = running.get(name) ?? 0;
    if (count >= limit) fail('UPLOADS_TOO_MANY', { limit, what });
    running.set(name, count + 1);
  }
  function giveBack(name: string): void {
    const left = (running.get(name) ?? 1) - 1;
    if (left === 0) running.delete(name);
    else running.set(name, left);
  }

  return {
    async during({ keyId, address = '' }, upload) {
      const key = `key ${keyId}`;
      take(key, limits.perKey, 'of this key');
      try {
        if (isLoopbackAddress(address)) return await upload();
        const from = `address ${addressGroup(address)}`;
        take(from, limits.perAddress, 'from this address');
        return await upload().finally(() => giveBack(from));
      } finally {
        giveBack(key);
      }
    },
  };
}
