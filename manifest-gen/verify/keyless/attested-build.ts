import type { Found, Verdict } from '../../release.ts';
import { type About, absent, failedPiece, passed } from '../verdict.ts';
import { refusalBy, signerOf, verdictWithoutSigner } from './policy.ts';
import { claimedType, judgeStatement, provenanceTypes, type Subject } from './statement.ts';
import { type KeyFinder, loadRoot } from './trusted-root.ts';

/** The words for who attests a file. */
export type Attester = {
  /** `Attestation by the forge` */
  readonly what: string;
  /** It attests nothing; it attests something else than a build. */
  readonly nothing: string;
  readonly otherwise: string;
};

/**
 * Is the build attested by the signer that the tool's file trusts? All statements about the file must be valid; who signed matters
 * for those about the build alone.
 * @param texts of their bundles; undefined when the list of them cannot be read
 */
export async function verdictOnBuild(
  about: About,
  texts: readonly string[] | undefined,
  subject: Subject,
  found: Found,
  { what, nothing, otherwise }: Attester,
  keys?: KeyFinder,
): Promise<Verdict> {
  if (texts === undefined) return failedPiece(about, what, 'a list of Sigstore bundles', 'something else');
  if (texts.length === 0) return absent(about, nothing);
  const signer = signerOf(found);
  const root = await loadRoot(signer?.trustedRoot, keys);
  const pieces = texts.map((text) => {
    const isOfBuild = provenanceTypes.includes(claimedType(text) ?? '');
    return { what, judged: judgeStatement(text, subject, root), isOfBuild, isByAnyone: !isOfBuild };
  });
  const builds = pieces.filter(({ isOfBuild }) => isOfBuild);
  if (signer === undefined) return verdictWithoutSigner(about, [...builds, ...pieces], found);
  const refusal = refusalBy(about, pieces, signer);
  if (refusal !== undefined) return refusal;
  return builds.length > 0
    ? passed(about, `The build is attested by ${signer.identity}.`)
    : absent(about, otherwise);
}
