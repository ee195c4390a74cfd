import type { Mismatch } from '../../../errors/fault.ts';
import type { Digest } from '../../../formats/digest.ts';
import { withFile } from '../../../formats/scoped.ts';
import { describeContent, promisedContent } from '../../verify/content.ts';

type Stated = {
  readonly name: string;
  readonly expectedBytes: number | undefined;
  readonly sha256: string | undefined;
};

/** How a downloaded file differs from what its source states; undefined when it does not. */
export async function faultOf(path: string, digest: Digest, stated: Stated): Promise<Mismatch | undefined> {
  const found = await withFile(path, describeContent);
  if (found === 'an HTML page') return { expected: 'a file', found };
  const expected = promisedContent(stated.name);
  if (expected !== undefined && found !== expected) return { expected, found };
  if (stated.expectedBytes !== undefined && digest.sizeBytes !== stated.expectedBytes) {
    return { expected: `${stated.expectedBytes} bytes`, found: `${digest.sizeBytes} bytes` };
  }
  if (stated.sha256 !== undefined && digest.sha256 !== stated.sha256) {
    return { expected: `SHA-256 ${stated.sha256}`, found: digest.sha256 };
  }
  return undefined;
}
