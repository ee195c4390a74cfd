import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mustRun } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

type Packed = readonly [{ readonly files: readonly { readonly path: string }[] }];

const text = (path: string): Promise<string> => readFile(join(productDir, path), 'utf8');
const lines = async (...args: readonly string[]): Promise<readonly string[]> =>
  (await mustRun('git', args, { cwd: productDir })).trim().split('\n');
const json = await mustRun('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: productDir });
const packed = (JSON.parse(json) as Packed)[0].files.map(({ path }) => path);

describe('the npm package', () => {
  it('has every page that help and messages name', async () => {
    const sources = await lines('ls-files', '*.ts', ':!test', ':!bench', ':!dev');
    const named = (await Promise.all(sources.map(text)))
      .flatMap((source) => source.match(/docs\/[\w/-]+\.(?:md|yml|yaml)/g) ?? [])
      .filter((page) => !page.startsWith('docs/decisions/'));

    expect(new Set(named).size).toBeGreaterThan(10);
    expect(named.filter((page) => !packed.includes(page))).toEqual([]);
  });

  it('has no sources, tests or tools of developers', () => {
    expect(packed).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']));
    expect(packed.filter((path) => /\.ts$|^(?:test|bench|dev|data|deploy)\/|^\./.test(path))).toEqual([]);
  });
});

describe('the image', () => {
  it('has what the npm package has, and the dependencies', async () => {
    const { files } = JSON.parse(await text('package.json')) as { files: readonly string[] };
    const copied = [...(await text('Dockerfile')).matchAll(/^COPY --from=build (.*) \S+$/gm)]
      .flatMap(([, paths]) => paths?.split(' ') ?? [])
      .map((path) => path.replace('/app/', ''));

    expect(copied.toSorted()).toEqual([...files, 'node_modules', 'package.json'].toSorted());
  });
});
