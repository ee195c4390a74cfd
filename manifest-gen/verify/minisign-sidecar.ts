import { minisignKeyId, verifyMinisign } from '../../formats/minisign.ts';
import type { Fetched, Verdict } from '../release.ts';
import { sidecarName } from './sidecar-name.ts';

/** Is the checksum file signed by a key that the tool's file trusts? With checksum-file.ts this reaches to the exe. */
export function checkMinisign({ found, sidecars }: Fetched): readonly Verdict[] {
  const name = sidecarName(found, 'minisig');
  if (name === undefined) return [];
  const subject = name.replace(/\.minisig$/, '');
  const keys = found.tool.trust.minisign?.keys ?? [];
  const signature = sidecars.find((one) => one.name === name);
  const signed = sidecars.find((one) => one.name === subject);
  if (signature === undefined) return [absent(subject, `There is no ${name} beside it.`)];
  if (signed === undefined) return [absent(subject, `There is no ${subject} that ${name} could be about.`)];

  const outcome = verifyMinisign(Buffer.from(signed.text, 'utf8'), signature.text, keys);
  // without the key nothing can be verified; an invalid file could not verify with any key
  if (keys.length === 0 && outcome.keyId !== undefined) {
    const detail = `The tool names no minisign key to trust. ${name} is by the key ${outcome.keyId}, unverified; with that key from upstream, write under trust: minisign: {keys: [RW...]}.`;
    return [absent(subject, detail)];
  }
  const keyId = outcome.keyId === undefined ? {} : { keyId: outcome.keyId };
  if (outcome.outcome === 'good') {
    return [
      {
        kind: 'minisign',
        verdict: 'passed',
        subject,
        detail: `${name} is by the trusted key ${outcome.keyId}.`,
        ...keyId,
      },
    ];
  }
  const ids = keys.map((key) => minisignKeyId(key) ?? 'a key that cannot be read');
  const expected = ids.length === 0 ? 'a minisign signature' : `a minisign signature by ${ids.join(' or ')}`;
  const { problem } = outcome;
  return [
    {
      kind: 'minisign',
      verdict: 'failed',
      subject,
      detail: `${name}: ${problem}.`,
      expected,
      found: problem,
      ...keyId,
    },
  ];
}

function absent(subject: string, detail: string): Verdict {
  return { kind: 'minisign', verdict: 'absent', subject, detail };
}
