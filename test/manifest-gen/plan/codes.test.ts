import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../../manifest-gen/plan');
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

describe('a plan says what it decided in codes and facts', () => {
  it.each(files)('%s has no text for people, which is for manifest-gen/report', (name) => {
    const texts = literalsOf(readFileSync(join(folder, name), 'utf8'));

    expect(texts.filter((text) => /[a-z,;:] +[a-z]/i.test(text))).toEqual([]);
  });

  it('finds a sentence in a text, in a template, and in a part of one', () => {
    const found = literalsOf(
      ['const a = "one two";', 'f(`three $', '{a} four five`, `six seven`);'].join(''),
    );

    expect(found).toEqual(['one two', 'three ', ' four five', 'six seven']);
  });
});

function literalsOf(code: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isLiteralExpression(node) || ts.isTemplateLiteralToken(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('plan.ts', code, ts.ScriptTarget.Latest));
  return found;
}
