import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Declaration } from '../../devbox/declaration.ts';
import type { LockedValues } from '../../devbox/lock.ts';
import { readTemplates, renderFiles } from '../../devbox/render.ts';
import { productDir } from './test-server.ts';

export type RepositoryValues = {
  readonly declaration?: Partial<Declaration>;
  readonly locked?: Partial<LockedValues>;
};

const feed = 'http://feed.example';
const windowsBase = `mcr.example/windows/servercore:ltsc2022@sha256:${'a'.repeat(64)}`;

/** What devbox:create writes, but the lock; for tests of what is written, without a feed. */
export async function writeDevboxRepository(dir: string, values: RepositoryValues = {}): Promise<void> {
  const base = 'build-base:1';
  const declaration: Declaration = {
    ...{ version: 1, feed, tools: {}, probe: '1.2.0', go: { version: '1.26.8' } },
    images: { linux: { base, limit: 25 }, windows: { base: windowsBase, limit: 850 } },
    ...values.declaration,
  };
  const { go } = declaration;
  const locked: LockedValues = {
    ...{ version: 1, feed: declaration.feed, tools: {}, go: { version: go.version } },
    ...values.locked,
  };
  const files = renderFiles(await readTemplates(productDir), declaration, locked, '1.2.0');
  for (const [path, text] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}
