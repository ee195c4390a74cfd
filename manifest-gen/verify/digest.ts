import { open } from 'node:fs/promises';
import type { Asset, Verdict } from '../release.ts';
import { describeContent, promisedContent } from './content.ts';

/** Are these the bytes that the source itself speaks of: kind of file, size, digest? It proves what the source stores, not who made it. */
export async function checkDigest(asset: Asset): Promise<Verdict> {
  const content = await contentOf(asset.path);
  const promised = promisedContent(asset.name);
  if (promised !== undefined && content !== promised) return failed(asset, promised, content);

  const { expectedBytes, stated, digest } = asset;
  if (expectedBytes !== undefined && expectedBytes !== digest.sizeBytes) {
    return failed(asset, `${expectedBytes} bytes`, `${digest.sizeBytes} bytes (${content})`);
  }
  if (stated === undefined) {
    return {
      kind: 'digest',
      verdict: 'absent',
      subject: asset.name,
      detail: 'The source states no digest of the file.',
    };
  }
  const found = digest[stated.algorithm];
  const name = { sha256: 'SHA-256', sha512: 'SHA-512' }[stated.algorithm];
  if (found !== stated.hex.toLowerCase()) return failed(asset, `${name} ${stated.hex}`, found);
  return {
    kind: 'digest',
    verdict: 'passed',
    subject: asset.name,
    detail: `The ${name} is the one that the source states${stated.isImmutable ? ' of an immutable release' : ''}.`,
  };
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
