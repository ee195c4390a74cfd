import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mark } from './shared-history.ts';

const name = 'go-win-tools.generation';

/** Which generation of the shared history a repository has; undefined for one that is no copy of it, or a new one. */
export async function readMark(repoDir: string): Promise<Mark | undefined> {
  const text = await readFile(join(repoDir, name), 'utf8').catch(() => '');
  const [, generation, id] = /^(\d+) ([0-9a-f-]*)\n$/.exec(text) ?? [];
  return generation === undefined || id === undefined ? undefined : { generation: Number(generation), id };
}

/** After the refs are where it says: git has made them durable (core.fsync). */
export async function writeMark(repoDir: string, { generation, id }: Mark): Promise<void> {
  const file = join(repoDir, name);
  await writeFile(`${file}.new`, `${generation} ${id}\n`, { flush: true });
  await rename(`${file}.new`, file);
}
