import { describe, expect, it } from 'vitest';
import { parseReleaseRecord, printReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';

const record: ReleaseRecord = {
  schema: 1,
  tool: 'delve',
  version: '1.22.0-beta.1',
  packaging: '1-0123456789abcdef',
  builtBy: 'feed',
  source: {
    kind: 'go-module',
    upstream: 'github.com/go-delve/delve@v1.22.0',
    version: '1.22.0',
    fingerprint: 'ab'.repeat(32),
  },
  payloads: [
    {
      architecture: 'amd64',
      file: 'dlv-windows-amd64.exe',
      size: 17,
      sha256: 'cd'.repeat(32),
      sha512: 'ef'.repeat(64),
      goModule: {
        path: 'github.com/go-delve/delve/cmd/dlv',
        version: 'v1.22.0',
        toolchain: 'go1.21.13',
        tags: '',
        ldflags: '-s -w -buildid=',
        sum: 'h1:abc=',
      },
    },
  ],
  evidence: [
    {
      kind: 'sumdb',
      verdict: 'passed',
      subject: 'github.com/go-delve/delve@v1.22.0',
      detail: 'The sum is in the checksum database.',
    },
  ],
};

describe('Release record', () => {
  it('is printed in one way, whatever the order of its keys', async () => {
    const shuffled = JSON.parse(JSON.stringify(record), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as ReleaseRecord;
    expect(printReleaseRecord(shuffled)).toBe(printReleaseRecord(record));
    await expect(printReleaseRecord(record)).toMatchFileSnapshot('../golden/formats/release.json');
  });

  it('survives printing and reading', () => {
    expect(parseReleaseRecord(printReleaseRecord(record))).toEqual(record);
  });

  it.each([
    ['another schema', { schema: 2 }],
    ['an unknown source', { source: { ...record.source, kind: 'ftp' } }],
    ['a fingerprint in capitals', { source: { ...record.source, fingerprint: 'AB'.repeat(32) } }],
    ['a short hash', { payloads: [{ ...record.payloads[0], sha256: 'cd' }] }],
    ['a negative size', { payloads: [{ ...record.payloads[0], size: -1 }] }],
    ['an unknown architecture', { payloads: [{ ...record.payloads[0], architecture: '386' }] }],
    ['an unknown verdict', { evidence: [{ ...record.evidence[0], verdict: 'maybe' }] }],
  ])('is not read with %s', (_fault, change) => {
    expect(() => parseReleaseRecord(JSON.stringify({ ...record, ...change }))).toThrow();
  });

  it.each(['../dlv.exe', 'a/b.exe', 'a\\b.exe', '..', 'c:dlv.exe', ''])(
    'is not read with the payload %j, which would be written elsewhere',
    (file) => {
      const payloads = record.payloads.map((payload) => ({ ...payload, file }));

      expect(() => parseReleaseRecord(JSON.stringify({ ...record, payloads }))).toThrow('is not a file name');
    },
  );

  it('is not printed when it is not whole', () => {
    expect(() => printReleaseRecord({ ...record, tool: undefined } as unknown as ReleaseRecord)).toThrow();
  });
});
