import type { Found, Verdict } from '../../release.ts';
import { sourceOf } from '../../tool-file/tools.ts';
import type { Signer } from '../../tool-file/trust.ts';
import { type About, absent, failedPiece } from '../verdict.ts';
import type { Judged, SignedBy } from './judge.ts';

/** One of all that vouches for a file, under the name that people know it by. */
export type Piece = {
  readonly what: string;
  readonly judged: Judged;
  /** Verifying is enough: the signer does not matter for it. */
  readonly isByAnyone?: boolean;
};

/** The refusal for the first piece that is not valid evidence by this signer; undefined when all are. */
export function refusalBy(about: About, pieces: readonly Piece[], signer: Signer): Verdict | undefined {
  for (const { what, judged, isByAnyone } of pieces) {
    const problem = judged.outcome === 'good' ? isByAnyone || strangerIn(judged.by, signer) : judged.problem;
    if (typeof problem === 'string') return failedPiece(about, what, describeSigner(signer), problem);
  }
  return undefined;
}

/**
 * The verdict if the tool's file names nobody to trust: it never counts as passed. What is invalid for any signer still refuses;
 * what is valid says who signed, and how to trust them.
 * @param pieces what matters most first
 */
export function verdictWithoutSigner(about: About, pieces: readonly Piece[], found: Found): Verdict {
  for (const { what, judged } of pieces) {
    if (judged.outcome === 'bad') {
      return failedPiece(about, what, 'a signature that verifies, whoever made it', judged.problem);
    }
  }
  const [sentence = ''] = pieces.flatMap((piece) => sentencesOn(piece, found));
  return absent(about, `The tool names no identity to trust. ${sentence}`.trim());
}

/** Whole strings: sigstore-js would take the identity as a regular expression that need not match to the end. */
function strangerIn({ identity, issuer }: SignedBy, signer: Signer): string | undefined {
  if (identity !== signer.identity) return `it is signed by ${identity ?? 'nobody that it names'}`;
  if (issuer !== signer.issuer) return `it is vouched for by ${issuer ?? 'nobody that it names'}`;
  return undefined;
}

function sentencesOn({ what, judged }: Piece, found: Found): readonly string[] {
  if (judged.outcome !== 'good') return [`${what} cannot be judged without: ${judged.problem}.`];
  const { identity, issuer } = judged.by;
  if (identity === undefined || issuer === undefined) return [];
  const wanted = JSON.stringify(identity.replaceAll(tagOf(found), '{tag}'));
  return [
    `${what} verifies and is by ${identity} (${issuer}); to trust them, write under trust: sigstore: {identity: ${wanted}, issuer: ${JSON.stringify(issuer)}}.`,
  ];
}

/** Who must have signed this release, with version and tag filled in; undefined when the tool names nobody. */
export function signerOf(found: Found): Signer | undefined {
  const signer = found.tool.trust.sigstore;
  if (signer === undefined) return undefined;
  const identity = signer.identity.replaceAll('{version}', found.version).replaceAll('{tag}', tagOf(found));
  return { ...signer, identity };
}

/** Upstream's tag of the release, also where the files came from npm. */
export function tagOf({ tool, version }: Found): string {
  return (sourceOf(tool, 'github')?.tag ?? 'v{version}').replace('{version}', version);
}

function describeSigner({ identity, issuer }: Signer): string {
  return `a signature by ${identity} (${issuer})`;
}
