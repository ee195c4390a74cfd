import type { Logger } from '../log.ts';
import type { BlobClaims } from './blob-claims.ts';
import type { BlobStore, Upload } from './blob-store.ts';

/** A store that servers share: bytes are claimed before they are stored. */
export function createClaimedStore(store: BlobStore, claims: BlobClaims, log: Logger): BlobStore {
  function claimed(upload: Upload): Upload {
    let claim: string | undefined;

    async function protect(): Promise<void> {
      claim ??= await claims.claim(upload.digest.sha256);
    }

    return {
      digest: upload.digest,
      content: upload.content,
      get claim() {
        return claim;
      },
      async commit() {
        await protect();
        await upload.commit();
      },
      async commitPending() {
        await protect();
        return upload.commitPending();
      },
      async discard() {
        await upload.discard();
        if (claim === undefined) return;
        // Nobody waits for it: a claim that stays only delays a removal.
        claims.release(claim).catch((error: unknown) => {
          log.warn(
            { err: error },
            'the claim of an upload could not be released, it ends by itself after a week',
          );
        });
      },
    };
  }

  return {
    ...store,
    receive: async (source, maxBytes) => claimed(await store.receive(source, maxBytes)),
  };
}
