import type { Asset, Fetched, Verdict } from '../release.ts';
import { attestationsName } from '../sidecar-name.ts';
import { sourceOf } from '../tools.ts';
import type { Signer } from '../trust.ts';
import { describeSigner, signerOf } from './keyless/signer-of.ts';
import { claimedType, problemOfStatement, provenanceTypes, type Subject } from './keyless/statement.ts';
import { loadRoot, type Root } from './keyless/trusted-root.ts';

/**
 * GitHub's own word that a release is immutable. Its certificates come from an authority of GitHub's that is in no public root,
 * and it says nothing of the build: not looked at. (Seen at goreleaser 2.18.0, beside the build's.)
 */
const releaseTypes = /^https:\/\/in-toto\.io\/attestation\/release\//;

/** Does the workflow that the tool's file trusts say that it built this very file? */
export function checkAttestations(fetched: Fetched): readonly Promise<Verdict>[] {
  const { found, assets } = fetched;
  const isAsked = found.kind === 'github' && sourceOf(found.tool, 'github')?.attestations === true;
  return isAsked ? assets.map((asset) => check(fetched, asset)) : [];
}

async function check({ found, sidecars }: Fetched, asset: Asset): Promise<Verdict> {
  const about = { kind: 'attestation', subject: asset.name } as const;
  const sidecar = sidecars.find(({ name }) => name === attestationsName(asset.name));
  const statements = readBundles(sidecar?.text ?? '[]').filter(({ type }) => !releaseTypes.test(type ?? ''));
  const builds = statements.filter(({ type }) => provenanceTypes.includes(type ?? ''));
  const signer = signerOf(found);
  if (statements.length === 0) {
    return { ...about, verdict: 'absent', detail: 'The forge has no attestation of how the file was built.' };
  }
  if (signer === undefined) {
    return { ...about, verdict: 'absent', detail: 'The tool names no identity to trust.' };
  }
  const root = await loadRoot(signer.trustedRoot);
  const subject = { algorithm: 'sha256', hex: asset.digest.sha256 } as const;
  const problem = firstProblem(statements, subject, root, signer);
  if (problem !== undefined) {
    const detail = `Attestation by the forge: ${problem}.`;
    return { ...about, verdict: 'failed', detail, expected: describeSigner(signer), found: problem };
  }
  if (builds.length === 0) {
    return {
      ...about,
      verdict: 'absent',
      detail: 'What the forge attests of the file is not how it was built.',
    };
  }
  return { ...about, verdict: 'passed', detail: `The build is attested by ${signer.identity}.` };
}

type Claimed = { readonly text: string; readonly type: string | undefined };

/** All that is there must verify; who made it counts for what is said of the build. */
function firstProblem(
  statements: readonly Claimed[],
  subject: Subject,
  root: Root,
  signer: Signer,
): string | undefined {
  for (const { text, type } of statements) {
    const isOfBuild = type === undefined || provenanceTypes.includes(type);
    const problem = problemOfStatement(text, subject, root, isOfBuild ? signer : undefined);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The array that the source wrote: our own JSON around bundles from outside. */
function readBundles(text: string): readonly Claimed[] {
  return (JSON.parse(text) as readonly unknown[]).map((bundle) => {
    const one = JSON.stringify(bundle);
    return { text: one, type: claimedType(one) };
  });
}
