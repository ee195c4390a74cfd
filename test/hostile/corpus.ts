import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const dir = join(import.meta.dirname, 'corpus');

/** The kept inputs of one kind: each line of a `*.lines` file, and each other file whole. */
export function readCorpus(kind: string): readonly Buffer[] {
  return readdirSync(join(dir, kind))
    .sort()
    .flatMap((name) => {
      const bytes = readFileSync(join(dir, kind, name));
      if (!name.endsWith('.lines')) return [bytes];
      return bytes
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => Buffer.from(line));
    });
}

/** Keeps an input that broke something: from now on every run begins with it. Answers with the file to commit. */
export function keepInput(kind: string, input: Buffer): string {
  const name = `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`;
  const file = join(dir, kind, name);
  mkdirSync(join(dir, kind), { recursive: true });
  writeFileSync(file, input);
  return file;
}
