import { withFile } from '../../formats/scoped.ts';
import type { Asset, Verdict } from '../release.ts';
import { describeContent, promisedContent } from './content.ts';
import { absent, failed, passed } from './verdict.ts';

/**
 * Are these the bytes that the source states: kind of file, size, digest? This proves what the source stores, not who made it.
 */
export async function checkDigest(asset: Asset): Promise<Verdict> {
  const about = { kind: 'digest', subject: asset.name } as const;
  const broken = (expected: string, found: string): Verdict =>
    failed(about, `The file is ${found}, the source promises ${expected}.`, expected, found);
  const content = await withFile(asset.path, describeContent);
  const promised = promisedContent(asset.name);
  if (promised !== undefined && content !== promised) return broken(promised, content);

  const { expectedBytes, stated, digest } = asset;
  if (expectedBytes !== undefined && expectedBytes !== digest.sizeBytes) {
    return broken(`${expectedBytes} bytes`, `${digest.sizeBytes} bytes (${content})`);
  }
  if (stated === undefined) return absent(about, noDigest);
  const found = digest[stated.algorithm];
  const name = names[stated.algorithm];
  if (found !== stated.hex.toLowerCase()) return broken(`${name} ${stated.hex}`, found);
  return passed(about, goodDigest(name, stated.isImmutable === true));
}

const names = { sha256: 'SHA-256', sha512: 'SHA-512' } as const;
const noDigest = 'The source states no digest of the file.';

function goodDigest(name: string, isImmutable: boolean): string {
  return `The ${name} is the one that the source states${isImmutable ? ' of an immutable release' : ''}.`;
}

/** Is this a possible verdict for a correct file, from a source that states more or less about it? */
export function isDigestDetail({ verdict, detail }: Pick<Verdict, 'verdict' | 'detail'>): boolean {
  if (verdict === 'absent') return detail === noDigest;
  const sayings = Object.values(names).flatMap((name) => [goodDigest(name, true), goodDigest(name, false)]);
  return verdict === 'passed' && sayings.includes(detail);
}
