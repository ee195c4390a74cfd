import { open } from 'node:fs/promises';
import type { Asset, Verdict } from '../release.ts';
import { describeContent, promisedContent } from './content.ts';

/**
 * Are these the bytes that the source states: kind of file, size, digest? This proves what the source stores, not who made it.
 */
export async function checkDigest(asset: Asset): Promise<Verdict> {
  const content = await contentOf(asset.path);
  const promised = promisedContent(asset.name);
  if (promised !== undefined && content !== promised) return failed(asset, promised, content);

  const { expectedBytes, stated, digest } = asset;
  if (expectedBytes !== undefined && expectedBytes !== digest.sizeBytes) {
    return failed(asset, `${expectedBytes} bytes`, `${digest.sizeBytes} bytes (${content})`);
  }
  if (stated === undefined) {
    return { kind: 'digest', verdict: 'absent', subject: asset.name, detail: noDigest };
  }
  const found = digest[stated.algorithm];
  const name = names[stated.algorithm];
  if (found !== stated.hex.toLowerCase()) return failed(asset, `${name} ${stated.hex}`, found);
  return {
    kind: 'digest',
    verdict: 'passed',
    subject: asset.name,
    detail: goodDigest(name, stated.isImmutable === true),
  };
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

function failed(asset: Asset, expected: string, found: string): Verdict {
  const detail = `The file is ${found}, the source promises ${expected}.`;
  return { kind: 'digest', verdict: 'failed', subject: asset.name, detail, expected, found };
}

async function contentOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return await describeContent(file);
  } finally {
    await file.close();
  }
}
