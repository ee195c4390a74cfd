import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { migrations } from '../../server/database/migrations.ts';
import { mainJs } from './main-js.ts';
import { productDir } from './test-server.ts';

/** What the next version needs, and this one does not know. */
const nextStep = `ALTER TABLE rings ADD COLUMN colour TEXT NOT NULL DEFAULT 'none';
  CREATE TABLE shades (name TEXT PRIMARY KEY, depth INTEGER NOT NULL) STRICT;`;

/** The program as it would be with these steps after the newest migration; answers with its main.js. */
export async function makeNextVersion(dir: string, steps: readonly string[] = [nextStep]): Promise<string> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(productDir))
    if (!['dist', 'package.json'].includes(name)) await symlink(join(productDir, name), join(dir, name));
  await cp(dirname(mainJs), join(dir, 'dist'), { recursive: true });
  const about = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
  await writeFile(join(dir, 'package.json'), JSON.stringify({ ...about, version: '99.0.0' }));
  await addSteps(join(dir, 'dist'), steps);
  return join(dir, 'dist', 'main.js');
}

/** A bundle has the texts of migrations as they are in their file. */
async function addSteps(dist: string, steps: readonly string[]): Promise<void> {
  const newest = `\`${migrations.at(-1)}\``;
  for (const name of await readdir(dist)) {
    if (!name.endsWith('.js')) continue;
    const text = await readFile(join(dist, name), 'utf8');
    if (!text.includes(newest)) continue;
    const added = steps.map((step) => `, ${JSON.stringify(step)}`).join('');
    return writeFile(
      join(dist, name),
      text.replace(newest, () => `${newest}${added}`),
    );
  }
  throw new Error(`the newest migration is not in ${dist}`);
}
