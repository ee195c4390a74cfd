import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evidenceKinds } from '../../formats/release-record.ts';
import { Tool } from '../../manifest-gen/tool-file/tools.ts';
import { fieldsOf, namedIn } from '../kit/schema-fields.ts';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs', 'tools', 'reference.md'), 'utf8');
const named = namedIn(page);

describe('docs/tools/reference.md', () => {
  it('has every field of a tool file, and no other', () => {
    // rules by version look the same for each source: the page shows those of github
    const fields = fieldsOf(Tool).filter((name) => !/require\.(?!github\.)[\w-]+\./.test(name));

    expect([...new Set(named.filter((name) => !isEvidence(name)))].toSorted()).toEqual(fields);
  });

  it('has every kind of evidence', () => {
    expect(named.filter(isEvidence).toSorted()).toEqual([...evidenceKinds].toSorted());
  });
});

function isEvidence(name: string): boolean {
  return (evidenceKinds as readonly string[]).includes(name);
}
