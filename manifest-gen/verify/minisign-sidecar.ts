import { minisignKeyId, verifyMinisign } from '../../formats/minisign.ts';
import type { Fetched, Verdict } from '../release.ts';
import { sidecarName } from './sidecar-name.ts';
import { absent, failed, passed } from './verdict.ts';

/** Is the checksum file signed by a key that the tool's file trusts? With checksum-file.ts this reaches to the exe. */
export function checkMinisign({ found, sidecars }: Fetched): readonly Verdict[] {
  const name = sidecarName(found, 'minisig');
  if (name === undefined) return [];
  const subject = name.replace(/\.minisig$/, '');
  const about = { kind: 'minisign', subject } as const;
  const keys = found.tool.trust.minisign?.keys ?? [];
  const signature = sidecars.find((one) => one.name === name);
  const signed = sidecars.find((one) => one.name === subject);
  if (signature === undefined) return [absent(about, `There is no ${name} beside it.`)];
  if (signed === undefined) return [absent(about, `There is no ${subject} that ${name} could be about.`)];

  const outcome = verifyMinisign(Buffer.from(signed.text, 'utf8'), signature.text, keys);
  const { keyId } = outcome;
  // without the key nothing can be verified; an invalid file could not verify with any key
  if (keys.length === 0 && keyId !== undefined) {
    const detail = `The tool names no minisign key to trust. ${name} is by the key ${keyId}, unverified; with that key from upstream, write under trust: minisign: {keys: [RW...]}.`;
    return [absent(about, detail)];
  }
  const by = keyId === undefined ? {} : { keyId };
  if (outcome.outcome === 'good') {
    return [{ ...passed(about, `${name} is by the trusted key ${keyId}.`), ...by }];
  }
  const ids = keys.map((key) => minisignKeyId(key) ?? 'a key that cannot be read');
  const expected = ids.length === 0 ? 'a minisign signature' : `a minisign signature by ${ids.join(' or ')}`;
  return [{ ...failed(about, `${name}: ${outcome.problem}.`, expected, outcome.problem), ...by }];
}
