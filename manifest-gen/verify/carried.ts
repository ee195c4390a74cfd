import type { Found, Verdict } from '../release.ts';

/** What a verdict rests on when its files came in a bundle. The rest is proved by the files alone, or says it itself (sumdb.ts). */
const restsOn: Partial<Record<Verdict['kind'], (verdict: Verdict, keyId: string) => string>> = {
  // what a source says to who asks it
  digest: (_, keyId) => `So says the bundle signed by ${keyId}.`,
  sigstore: () => rootHere,
  attestation: () => rootHere,
  // an npm registry's own signature has a key: one that only the registry names
  provenance: (verdict, keyId) =>
    verdict.keyId === undefined
      ? rootHere
      : `That this is the registry's key says the bundle signed by ${keyId}.`,
};

const rootHere =
  'It came in a bundle and is proved by the trusted root of this side, not by one in the bundle.';

/** In a bundle a source's words come from whoever signed it, and the record says so. */
export function asCarried({ carriedBy }: Found, verdict: Verdict): Verdict {
  const words = carriedBy && verdict.verdict === 'passed' && restsOn[verdict.kind];
  if (carriedBy === undefined || !words) return verdict;
  const { keyId } = carriedBy;
  const detail = `${verdict.detail} ${words(verdict, keyId)}`;
  return verdict.kind === 'digest' ? { ...verdict, detail, keyId } : { ...verdict, detail };
}
