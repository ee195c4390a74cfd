import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from './kit/test-server.ts';

const dist = join(productDir, 'dist');

async function dependencies(): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
  return Object.keys(manifest.dependencies);
}

describe('dist/, the program as it is installed', () => {
  it('needs no packages but those that an installation brings along', async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith('.js'));
    const sources = await Promise.all(names.map((name) => readFile(join(dist, name), 'utf8')));
    const imported = sources.flatMap((source) =>
      [...source.matchAll(/^(?:import|export) [^'";]*["']([^."'][^"']*)["'];$/gm)].map(
        ([, name]) => name ?? '',
      ),
    );
    const packages = new Set(
      imported.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)),
    );

    expect(packages).toContain('better-sqlite3');
    expect(await dependencies()).toEqual(expect.arrayContaining([...packages]));
  });

  it('brings the licence of each package whose code is inside', async () => {
    const licenses = await readFile(join(dist, 'licenses.txt'), 'utf8');

    const notices = licenses.split(/\n-{72}\n/).map((notice) => notice.trim());

    expect(notices.length).toBeGreaterThan(50);
    for (const notice of notices) expect(notice).toMatch(/^\S+ \d\S+ \(.+\)\n\n[\s\S]{100}/);
    for (const name of ['commander', 'express', 'got', 'zod']) {
      const notice = notices.find((one) => one.startsWith(`${name} `));
      expect(notice).toMatch(/\(MIT\)\n.*MIT License/is);
    }
  });
});
