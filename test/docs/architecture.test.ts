import { access, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

const entries = await readdir(productDir, { withFileTypes: true });
const folders = entries.flatMap((entry) =>
  entry.isDirectory() && /^(?!dist$|node_modules$)\w/.test(entry.name) ? [`${entry.name}/`] : [],
);
const named = new RegExp(`\`((?:${folders.join('|')})[\\w./-]*|[\\w.-]+\\.(?:ts|mjs))\``, 'g');
const below = await readdir(join(productDir, 'docs'), { recursive: true });
const pages = [
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'README.md',
  ...below.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
];

/** Other repositories have a folder of this name, and operators make this one. */
const notHere = /^(devbox|deploy\/secrets)\//;

/** The files and folders of this checkout that a page names. */
async function pathsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(productDir, page), 'utf8');
  const paths = new Set([...text.matchAll(named)].map(([, path = '']) => path));
  return [...paths].filter((path) => page === 'ARCHITECTURE.md' || !notHere.test(path));
}

describe('ARCHITECTURE.md', () => {
  it('answers the questions of a newcomer', async () => {
    expect((await pathsOf('ARCHITECTURE.md')).length).toBeGreaterThan(50);
  });

  it('names files and folders from the root, so that the test below sees them', async () => {
    const text = (await readFile(join(productDir, 'ARCHITECTURE.md'), 'utf8')).replace(/```[^`]*```/g, '');
    const paths = new Set(await pathsOf('ARCHITECTURE.md'));
    const short = [...text.matchAll(/`([^`]+)`/g)]
      .map(([, code = '']) => code)
      .filter((code) => / -> |^[a-z][\w-]*\/[\w-]/.test(code) && !paths.has(code));

    expect(short).toEqual([]);
  });

  it('is right that the types name every place where a kind of source matters', async () => {
    const generator = join(productDir, 'manifest-gen');
    const files = await readdir(generator, { recursive: true });
    const compared: string[] = [];
    for (const file of files.filter((name) => /^(?!sources\W).*\.tsx?$/.test(name))) {
      const text = await readFile(join(generator, file), 'utf8');
      if (/[!=]== '(github|npm|go-module)'/.test(text)) compared.push(file);
    }

    // a comparison would take a new kind for one of the others, without a word
    expect(compared).toEqual([]);
  });
});

describe('the list of decisions', () => {
  it('has every record, with its number and title', async () => {
    const list = await readFile(join(productDir, 'docs/decisions/README.md'), 'utf8');
    const records = pages.filter((page) => /decisions\/\d{4}-/.test(page));

    expect(records.length).toBeGreaterThan(30);
    for (const record of records) {
      const [, number, title] =
        /^# (\d+)\. (.*)/.exec(await readFile(join(productDir, record), 'utf8')) ?? [];
      expect(list).toContain(`| [${number}](${basename(record)}) | ${title} |`);
    }
  });
});

describe('the files and folders that a page names', () => {
  // a record of a decision may name a file by its end alone
  it.each(pages)('exist: %s', async (page) => {
    const missing = [];
    for (const path of await pathsOf(page)) {
      const isFound = await access(join(productDir, path)).then(
        () => true,
        () => false,
      );
      if (!isFound && (path.includes('/') || page === 'ARCHITECTURE.md')) missing.push(path);
    }

    expect(missing).toEqual([]);
  });
});
