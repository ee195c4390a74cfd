import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { everything } from '../../contract/catalog.ts';
import { openStorage } from './storage.ts';

describe('a process killed in the middle of publishing', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-kill-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('has lost no version that it confirmed, and leaves nothing incomplete (three times over)', async () => {
    const answered: string[] = [];
    for (const enough of [5, 17, 30]) {
      answered.push(...(await publishAndKill(dir, enough)));

      const storage = await openStorage(dir);
      const rows = await storage.catalog.query({ ...everything, take: 100_000 });
      const promised = rows.map((row) => `${row.version} ${row.sha256}`);
      expect(promised).toEqual(expect.arrayContaining(answered));
      for (const row of rows) {
        const bytes = await buffer(await storage.blobs.open(row.sha256));
        expect(digestBytes(bytes)).toMatchObject({ sha256: row.sha256, sizeBytes: row.sizeBytes });
      }
      expect(rows.filter((row) => row.isLatest)).toEqual([await storage.catalog.findLatest('x')]);
      expect(await readdir(join(dir, 'blobs', 'tmp'))).toEqual([]);
      storage.close();
    }
  });
});

/** The lines that the process wrote before it was gone; it is killed once there are `enough`. */
async function publishAndKill(dir: string, enough: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'publish-without-end.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, dir], {
    // Where `tsx` is found.
    cwd: join(import.meta.dirname, '..', '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === enough) child.kill('SIGKILL');
  }
  await closed;
  expect(lines.length).toBeGreaterThanOrEqual(enough);
  return lines;
}
