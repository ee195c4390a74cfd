import { type Check, type Finding, failed, ok, skip, warn } from './check.ts';

/** What the server does with an object store, done once with an object of the doctor's own, which is gone afterwards. */
export const objectStore: Check = {
  name: 'object-store',
  limitMs: 60_000,
  async look({ config, signal }) {
    if (config.blobStore === undefined) return skip('not used: packages are in the data folder');
    const { probeStore } = await import('../../blobs/s3-probe.ts');
    return judgeStore(await probeStore(config.blobStore, signal));
  },
};

export type StoreFacts = {
  /** `s3://BUCKET/PREFIX` */
  readonly store: string;
  /** What went wrong with each step that was taken, in their order; undefined: nothing. */
  readonly steps: readonly {
    readonly step: 'put' | 'get' | 'range' | 'delete' | 'list';
    readonly problem: string | undefined;
  }[];
  readonly ms: number;
};

export function judgeStore({ store, steps, ms }: StoreFacts): Finding {
  const broken = steps.find(({ problem }) => problem !== undefined);
  if (broken === undefined)
    return ok(`${store}: ${steps.map(({ step }) => step).join(', ')} took ${Math.round(ms)} ms`);
  const { step, problem } = broken;
  if (step === 'delete')
    return warn(
      `${store}: delete is refused (${problem}), so that nothing can be purged`,
      'give the credentials of the server the right to delete objects below the prefix',
    );
  return failed(
    `${store}: ${step} failed (${problem})`,
    'correct BLOB_STORE, S3_ENDPOINT, S3_REGION or the credentials, or repair the store; servers that have lost it serve what they have copies of',
  );
}
