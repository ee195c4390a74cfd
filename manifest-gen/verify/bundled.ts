import type { Found, Verdict } from '../release.ts';
import { isDigestDetail } from './digest.ts';

/**
 * Who vouches for a verdict when its files came in a bundle. Other verdicts are proved by the files alone, or say it themselves
 * (sumdb.ts).
 */
const restsOn: Partial<Record<Verdict['kind'], (verdict: Verdict, keyId: string) => string>> = {
  // what only the source itself can state
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

type Said = Pick<Verdict, 'kind' | 'verdict' | 'detail'> & { readonly keyId?: string | undefined };

/**
 * Does a record have a bundle's wording for what was found over the network now, or the other way round? Nothing else may replace
 * our own wording: the record's author could have written anything.
 */
export function isSameByOtherWay(recorded: Said, again: Said): boolean {
  if (recorded.keyId !== again.keyId && ![recorded, again].every(hasBundleKey)) return false;
  const [then, now] = [withoutWay(recorded.detail), withoutWay(again.detail)];
  if (again.kind === 'digest') return isDigestDetail({ ...recorded, detail: then });
  return recorded.verdict === again.verdict && then === now;
}

/** Whose key it is depends on the way for these alone. */
function hasBundleKey({ kind, keyId }: Said): boolean {
  const isOfWay = kind === 'digest' || kind === 'sumdb';
  return isOfWay && (keyId === undefined || new RegExp(`^${bundleKey}$`).test(keyId));
}

function withoutWay(detail: string): string {
  return detail.replace(byWay, '.');
}

const bundleKey = '[0-9A-F]{16}';
const byWay = new RegExp(
  `(?:\\.(?: So says| That this is the registry's key says) the bundle signed by ${bundleKey}\\.|\\. ${rootHere.replaceAll('.', '\\.')}|, and the \\d+ others that the exes name as they name them: proved by the tree that [\\w.+-]+ signed\\. That the exes were built from them says the bundle signed by ${bundleKey}\\.)$`,
);

/** In a bundle the signer vouches for a source's statements, and the record says so. */
export function asBundled({ bundledBy }: Found, verdict: Verdict): Verdict {
  const words = bundledBy && verdict.verdict === 'passed' && restsOn[verdict.kind];
  if (bundledBy === undefined || !words) return verdict;
  const { keyId } = bundledBy;
  const detail = `${verdict.detail} ${words(verdict, keyId)}`;
  return verdict.kind === 'digest' ? { ...verdict, detail, keyId } : { ...verdict, detail };
}
