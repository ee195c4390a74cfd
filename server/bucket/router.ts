import { Router } from 'express';
import { fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';
import { countPush } from '../http/count-push.ts';
import type { NoteRefusal } from '../http/note-refusal.ts';
import type { UploadLimit } from '../http/upload-limit.ts';
import type { Metrics } from '../metrics.ts';
import { type GitAddress, readGitAddress } from './address.ts';
import type { Bucket } from './bucket.ts';

export type BucketServices = {
  readonly bucket: Pick<Bucket, 'serve'>;
  /** The id in the address of a client, in lower case, where it may have addresses of its own. */
  readonly requireClient?: (written: string) => Promise<string>;
  readonly publicUrl: () => string;
  readonly metrics: Pick<Metrics, 'countPush'>;
  /** Of a push that the rules refuse: git answers that by itself. */
  readonly noteRefusal?: NoteRefusal;
  readonly uploads: UploadLimit;
};

/**
 * The bucket for git and Scoop: /git/main/go-win-tools.git and /git/beta/go-win-tools.git, and /git/c/ID/go-win-tools.git for one
 * client. READ_AUTH decides who may read. A push needs a key from its first request on, so that git asks for one before it sends
 * anything.
 */
export function createBucketRouter(services: BucketServices): Router {
  const { bucket, publicUrl, metrics, uploads, requireClient, noteRefusal } = services;
  const router = Router({ caseSensitive: true });
  router.use(async (req, res, next) => {
    if (!req.path.startsWith('/git/')) {
      next();
      return;
    }
    const written = readGitAddress(req.method, req.path, req.query.service, publicUrl());
    const address = await withClient(written);
    async function serve(): Promise<string | undefined> {
      const isPusher = address.access === 'write';
      const pusher = isPusher ? await principalWith(req, ['push', 'push:beta']) : undefined;
      const answer = () => bucket.serve(address, req, res, pusher);
      if (pusher === undefined || address.isAdvertisement) return answer();
      const outcome = await uploads.during({ keyId: pusher.keyId, address: req.ip }, answer);
      if (outcome === 'refused') noteRefusal?.({ code: 'PUSH_REFUSED', status: 403 }, req);
      return outcome;
    }
    // git first asks for the branches, without a key; that is not a push yet.
    if (address.access === 'write' && !address.isAdvertisement) await countPush(metrics, 'bucket', serve);
    else await serve();
  });
  async function withClient(address: GitAddress): Promise<GitAddress> {
    if (address.client === undefined) return address;
    const require = requireClient ?? fail('BUCKET_UNKNOWN');
    return { ...address, client: await require(address.client) };
  }

  return router;
}
