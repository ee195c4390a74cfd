import type { ReleaseRecord } from '../../formats/release-record.ts';

/** Whether two releases have the same exes, whatever they are called and however they are packed. */
export function isSameProgram(a: ReleaseRecord, b: ReleaseRecord): boolean {
  return hashes(a) === hashes(b);
}

function hashes({ payloads }: ReleaseRecord): string {
  return payloads
    .map(({ architecture, sha256 }) => `${architecture} ${sha256}`)
    .sort()
    .join('\n');
}
