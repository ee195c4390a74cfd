import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { mainJs } from './main-js.ts';
import { type RunResult, run } from './programs.ts';
import { productDir } from './test-server.ts';

/** The fenced blocks of a page in one language, in their order. */
export function fencedBlocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```/gm)].flatMap(([, found, block = '']) =>
    found === language ? [block] : [],
  );
}

/** The commands of a page that run on Linux as they are written: the lines of its `sh` blocks, without comments. */
export async function commandsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(productDir, page), 'utf8');
  return fencedBlocks(text, 'sh').flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

export type PageFixture = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a reader would write in place of the page's examples. */
  readonly replace: Readonly<Record<string, string>>;
};

/**
 * Runs every `sh` block of a page in a shell, in order, until one fails. `npx -y pnpm@10 VERB` runs the verb of this checkout in the
 * folder of the reader.
 */
export async function runPage(page: string, fixture: PageFixture): Promise<RunResult> {
  const text = await readFile(join(productDir, page), 'utf8');
  let script = fencedBlocks(text, 'sh').join('\n');
  for (const [example, real] of Object.entries(fixture.replace)) script = script.replaceAll(example, real);
  return run('bash', ['-e', '-x', '-o', 'pipefail', '-c', script], {
    cwd: fixture.cwd,
    env: { ...fixture.env, PATH: await pathWithNpx(fixture.cwd, fixture.env.PATH) },
  });
}

/** A PATH on which `npx -y pnpm@10 VERB` runs the verb of this checkout as it is installed. */
export async function pathWithNpx(dir: string, path = process.env.PATH): Promise<string> {
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'npx'), npx);
  await chmod(join(bin, 'npx'), 0o755);
  return `${bin}${delimiter}${path}`;
}

const npx = `#!/bin/sh
[ "$1 $2" = '-y pnpm@10' ] || exit 99
shift 2
[ "$1" != --silent ] || shift
exec '${process.execPath}' '${mainJs}' "$@"
`;
