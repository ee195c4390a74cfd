import type { Found, Verdict } from '../../release.ts';
import type { Signer } from '../../tool-file/trust.ts';
import type { Judged, SignedBy } from './judge.ts';
import { describeSigner, signerOf, tagOf } from './signer-of.ts';

type About = Pick<Verdict, 'kind' | 'subject'>;

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
    if (typeof problem === 'string') return failed(about, what, describeSigner(signer), problem);
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
      return failed(about, what, 'a signature that verifies, whoever made it', judged.problem);
    }
  }
  const [sentence = ''] = pieces.flatMap((piece) => sentencesOn(piece, found));
  const detail = `The tool names no identity to trust. ${sentence}`.trim();
  return { ...about, verdict: 'absent', detail };
}

/**
 * The verdict on a file with statements: attested by the trusted signer, if one of them is about its build and all are valid.
 * @param absent the text if all are valid and none is about the build
 */
export function verdictOnBuild(
  about: About,
  pieces: readonly (Piece & { readonly isOfBuild: boolean })[],
  found: Found,
  absent: string,
): Verdict {
  const signer = signerOf(found);
  const builds = pieces.filter(({ isOfBuild }) => isOfBuild);
  if (signer === undefined) return verdictWithoutSigner(about, [...builds, ...pieces], found);
  const refusal = refusalBy(about, pieces, signer);
  if (refusal !== undefined) return refusal;
  return builds.length > 0
    ? { ...about, verdict: 'passed', detail: `The build is attested by ${signer.identity}.` }
    : { ...about, verdict: 'absent', detail: absent };
}

function failed(about: About, what: string, expected: string, problem: string): Verdict {
  return { ...about, verdict: 'failed', detail: `${what}: ${problem}.`, expected, found: problem };
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
