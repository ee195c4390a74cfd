import { open } from 'node:fs/promises';
import type { Digest } from '../../../formats/digest.ts';

export type Fault = { readonly expected: string; readonly found: string };

/** What the source says. */
type Stated = {
  readonly name: string;
  readonly expectedBytes: number | undefined;
  readonly sha256: string | undefined;
};

/** How a program or a zip begins. */
const beginnings = [
  ['.exe', 'MZ', 'a Windows program (MZ)'],
  ['.zip', 'PK', 'a zip archive (PK)'],
] as const;

/** How a downloaded file differs from what its source states; undefined when it does not. */
export async function faultOf(path: string, digest: Digest, stated: Stated): Promise<Fault | undefined> {
  const head = await readHead(path);
  if (/^\s*<(!doctype html|html)/i.test(head)) return { expected: 'a file', found: 'a page of HTML' };
  const beginning = beginnings.find(([suffix]) => stated.name.toLowerCase().endsWith(suffix));
  if (beginning !== undefined && !head.startsWith(beginning[1])) {
    return { expected: beginning[2], found: `bytes that begin with ${JSON.stringify(head.slice(0, 8))}` };
  }
  if (stated.expectedBytes !== undefined && digest.sizeBytes !== stated.expectedBytes) {
    return { expected: `${stated.expectedBytes} bytes`, found: `${digest.sizeBytes} bytes` };
  }
  if (stated.sha256 !== undefined && digest.sha256 !== stated.sha256) {
    return { expected: `SHA-256 ${stated.sha256}`, found: digest.sha256 };
  }
  return undefined;
}

async function readHead(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
