import type { Digest } from '../../../formats/digest.ts';
import { withFile } from '../../../formats/scoped.ts';
import { readAt } from '../../verify/pe-file.ts';

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
  const head = await withFile(path, async (file) => (await readAt(file, 0, 64)).toString('latin1'));
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
