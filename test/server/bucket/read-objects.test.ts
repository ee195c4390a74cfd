import { describe, expect, it } from 'vitest';
import { printScoopManifest } from '../../../formats/scoop-manifest.ts';
import { readManifestFile } from '../../../server/bucket/manifest-file.ts';
import { type ObjectReader, parseCommit } from '../../../server/bucket/objects.ts';
import { createTreeReader } from '../../../server/bucket/trees.ts';
import { createWorkBudget } from '../../../server/bucket/work-budget.ts';

const oid = (digit: string): string => digit.repeat(40);
const text = printScoopManifest({
  version: '1.2.3',
  description: 'A tool',
  homepage: 'https://example.com/',
  license: 'MIT',
  url: 'https://example.com/tool.exe',
  hash: '0'.repeat(64),
});

describe('a commit', () => {
  it('has the tree and the parents that git reads, not lines further down', () => {
    const author = 'author a <a@b> 0 +0000\ncommitter a <a@b> 0 +0000';
    const commit = `tree ${oid('1')}\n${author}\nparent ${oid('2')}\n\nsubject\n`;

    expect(parseCommit(Buffer.from(commit))).toEqual({
      tree: oid('1'),
      parents: [],
      subject: 'subject',
      encoding: undefined,
    });
  });

  it('is read as often for many manifests as for one', async () => {
    const entry = (mode: string, name: string, of: string): Buffer =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(of, 'hex')]);
    const objects = new Map<string, readonly ['commit' | 'tree' | 'blob', Buffer]>([
      [oid('1'), ['commit', Buffer.from(`tree ${oid('2')}\n\nlong ${'x'.repeat(1000)}`)]],
      [oid('2'), ['tree', entry('40000', 'bucket', oid('3'))]],
      [
        oid('3'),
        ['tree', Buffer.concat(['a', 'b', 'c'].map((name) => entry('100644', `${name}.json`, oid('4'))))],
      ],
      [oid('4'), ['blob', Buffer.from(text)]],
    ]);
    const asked: string[] = [];
    const reader: ObjectReader = {
      async read(name) {
        asked.push(name);
        const [kind, bytes] = objects.get(name) ?? [];
        return kind === undefined || bytes === undefined ? undefined : { oid: name, kind, bytes };
      },
      close: () => undefined,
    };

    const found = await createTreeReader(reader, createWorkBudget(1000, 60_000)).manifests(oid('1'));

    expect([...found.keys()]).toEqual(['a', 'b', 'c']);
    expect(asked).toEqual([oid('1'), oid('2'), oid('3'), oid('4')]);
  });
});

describe('a manifest', () => {
  it('is UTF-8, byte by byte', () => {
    const bytes = Buffer.from(text);
    expect(readManifestFile(bytes).problem).toBeUndefined();

    // What reading puts in the place of a wrong byte, and the wrong byte itself.
    const replaced = Buffer.from(text.replace('A tool', '\ufffd'));
    expect(readManifestFile(replaced).problem).toBeUndefined();
    const at = replaced.indexOf('\ufffd');
    const wrong = Buffer.concat([replaced.subarray(0, at), Buffer.from([0xff]), replaced.subarray(at + 3)]);
    expect(readManifestFile(wrong).problem).toBe('it is not valid UTF-8');
  });
});
