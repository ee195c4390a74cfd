import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { evidenceKinds } from '../../formats/release-record.ts';
import { Tool } from '../../manifest-gen/tool-file/tools.ts';
import { productDir } from '../kit/test-server.ts';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

/** `trust.minisign.keys`: lists and alternatives are no steps of their own, as the page writes them. */
function fieldsOf(schema: Schema, path: readonly string[] = []): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    [...path, name].join('.'),
    ...fieldsOf(child, [...path, name]),
  ]);
  const others = [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...own, ...others.flatMap((other) => (other === undefined ? [] : fieldsOf(other, path)))];
}

const page = await readFile(join(productDir, 'docs', 'tools', 'reference.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
const named = rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? '');

describe('docs/tools/reference.md', () => {
  it('has every field of a tool file, and no other', () => {
    const schema = z.toJSONSchema(Tool, { io: 'input', unrepresentable: 'any' }) as Schema;
    // rules by version look the same for each source: the page shows those of github
    const fields = fieldsOf(schema).filter((name) => !/require\.(npm|go-module)\./.test(name));

    expect([...new Set(named.filter((name) => !isEvidence(name)))].toSorted()).toEqual(
      [...new Set(fields)].toSorted(),
    );
  });

  it('has every kind of evidence', () => {
    expect(named.filter(isEvidence).toSorted()).toEqual([...evidenceKinds].toSorted());
  });
});

function isEvidence(name: string): boolean {
  return (evidenceKinds as readonly string[]).includes(name);
}
