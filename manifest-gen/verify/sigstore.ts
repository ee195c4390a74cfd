import type { Fetched, Verdict } from '../release.ts';
import type { Judged } from './keyless/judge.ts';
import { refusalBy, signerOf, verdictWithoutSigner } from './keyless/policy.ts';
import { judgeBundle, judgeDetached } from './keyless/signature.ts';
import { loadRoot, type Root } from './keyless/trusted-root.ts';
import { sidecarName } from './sidecar-name.ts';
import { absent, passed } from './verdict.ts';

/**
 * Is the checksum file signed by the workflow that the tool's file trusts? With checksum-file.ts this reaches to the exe. Every
 * existing signature must be valid; a bundle has the proof of the log, the older pair of files does not.
 */
export function checkSigstore(fetched: Fetched): readonly Promise<Verdict>[] {
  const { found } = fetched;
  const isPromised = ['bundle', 'signature'] as const;
  return isPromised.some((which) => sidecarName(found, which) !== undefined) ? [check(fetched)] : [];
}

async function check({ found, sidecars }: Fetched): Promise<Verdict> {
  type Which = Parameters<typeof sidecarName>[1];
  const nameOf = (which: Which): string => sidecarName(found, which) ?? '';
  const textOf = (which: Which) => sidecars.find(({ name }) => name === sidecarName(found, which))?.text;
  const about = { kind: 'sigstore', subject: nameOf('checksums') } as const;
  const [bundleText, signature, certificate] = [textOf('bundle'), textOf('signature'), textOf('certificate')];
  if (bundleText === undefined && signature === undefined && certificate === undefined) {
    return absent(about, 'There is no keyless signature beside it.');
  }
  const text = textOf('checksums');
  if (text === undefined) return absent(about, `There is no ${about.subject} that is signed.`);

  const signer = signerOf(found);
  const root = await loadRoot(signer?.trustedRoot);
  const signed = Buffer.from(text, 'utf8');
  const pair = judgePair({ signature, certificate }, signed, root);
  const bundle = bundleText === undefined ? undefined : judgeBundle(bundleText, signed, root);
  const pieces = [
    ...(pair === undefined ? [] : [{ what: nameOf('signature'), judged: pair }]),
    ...(bundle === undefined ? [] : [{ what: nameOf('bundle'), judged: bundle }]),
  ];
  const refusal = signer && refusalBy(about, pieces, signer);
  if (refusal !== undefined) return refusal;
  if (bundle === undefined && pair?.outcome === 'good') {
    const detail = `${nameOf('signature')} verifies, by ${pair.by.identity}, but no log entry says when it was made.`;
    return absent(about, detail);
  }
  if (signer === undefined) return verdictWithoutSigner(about, pieces.reverse(), found);
  return passed(about, `${nameOf('bundle')} is by ${signer.identity}.`);
}

type Pair = { readonly signature: string | undefined; readonly certificate: string | undefined };

/** Undefined when neither is there. One without the other is incomplete, or was signed with a key. */
function judgePair({ signature, certificate }: Pair, signed: Buffer, root: Root): Judged | undefined {
  if (signature !== undefined && certificate !== undefined) {
    return judgeDetached({ signature, certificate }, signed, root);
  }
  if (signature !== undefined) return { outcome: 'foreign', problem: 'there is no certificate beside it' };
  if (certificate === undefined) return undefined;
  return { outcome: 'foreign', problem: 'there is a certificate without a signature' };
}
