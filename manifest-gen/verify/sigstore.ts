import type { Fetched, Verdict } from '../release.ts';
import { sidecarName } from '../sidecar-name.ts';
import type { Signer } from '../trust.ts';
import { problemOfDetached } from './keyless/detached.ts';
import { problemOfBundle } from './keyless/signature.ts';
import { describeSigner, signerOf } from './keyless/signer-of.ts';
import { loadRoot, type Root } from './keyless/trusted-root.ts';

/**
 * Is the checksum file signed by the workflow that the tool's file trusts? With checksum-file.ts this reaches to the exe. Every
 * signature that is there must be good; a bundle brings the proof of the log, the pair of files before it does not.
 */
export function checkSigstore(fetched: Fetched): readonly Promise<Verdict>[] {
  const { found } = fetched;
  const isPromised = ['bundle', 'signature'] as const;
  return isPromised.some((which) => sidecarName(found, which) !== undefined) ? [check(fetched)] : [];
}

async function check({ found, sidecars }: Fetched): Promise<Verdict> {
  const textOf = (which: Parameters<typeof sidecarName>[1]): string | undefined =>
    sidecars.find(({ name }) => name === sidecarName(found, which))?.text;
  const subject = sidecarName(found, 'checksums') ?? '';
  const about = { kind: 'sigstore', subject } as const;
  const [bundle, signature, certificate] = [textOf('bundle'), textOf('signature'), textOf('certificate')];
  const nameOf = (which: 'bundle' | 'signature' | 'certificate'): string =>
    sidecarName(found, which) ?? which;

  const text = textOf('checksums');
  const signer = signerOf(found);
  if (bundle === undefined && signature === undefined && certificate === undefined) {
    return { ...about, verdict: 'absent', detail: 'There is no keyless signature beside it.' };
  }
  if (text === undefined)
    return { ...about, verdict: 'absent', detail: `There is no ${subject} that is signed.` };
  if (signer === undefined) {
    return { ...about, verdict: 'absent', detail: 'The tool names no identity to trust.' };
  }
  const root = await loadRoot(signer.trustedRoot);
  const signed = Buffer.from(text, 'utf8');

  if (signature !== undefined || certificate !== undefined) {
    const problem = problemOfPair({ signature, certificate }, signed, signer, root);
    if (problem !== undefined) return failed(about, nameOf('signature'), signer, problem);
  }
  if (bundle === undefined) {
    const detail = `${nameOf('signature')} verifies, by ${signer.identity}, but no log entry says when it was made.`;
    return { ...about, verdict: 'absent', detail };
  }
  const problem = problemOfBundle(bundle, signed, signer, root);
  if (problem !== undefined) return failed(about, nameOf('bundle'), signer, problem);
  return { ...about, verdict: 'passed', detail: `${nameOf('bundle')} is by ${signer.identity}.` };
}

/** One without the other was not published so. */
function problemOfPair(
  {
    signature,
    certificate,
  }: { readonly signature: string | undefined; readonly certificate: string | undefined },
  signed: Buffer,
  signer: Signer,
  root: Root,
): string | undefined {
  if (signature === undefined) return 'there is a certificate without a signature';
  if (certificate === undefined) return 'there is no certificate beside it';
  return problemOfDetached({ signature, certificate }, signed, signer, root);
}

function failed(
  about: Pick<Verdict, 'kind' | 'subject'>,
  file: string,
  signer: Signer,
  problem: string,
): Verdict {
  const detail = `${file}: ${problem}.`;
  return { ...about, verdict: 'failed', detail, expected: describeSigner(signer), found: problem };
}
