import { chmod, type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mustRun } from '../../kit/programs.ts';
import { makeTempDir } from '../../kit/test-server.ts';
import { type ClientFixture, grantOf, startClientFixture } from './client-fixture.ts';

// The server's git is a script of sh here, which notes each start and can be held.
describe.skipIf(process.platform === 'win32')('processes of git for the bucket of one client', () => {
  let fixture: ClientFixture;
  let dir: string;
  let released: FileHandle | undefined;
  beforeEach(async () => {
    dir = await makeTempDir();
    const git = (await mustRun('sh', ['-c', 'command -v git'])).trim();
    const script = `#!/bin/sh
echo "$*" >> '${dir}/started'
if [ "$1" = http-backend ] && [ -p '${dir}/hold' ]; then : < '${dir}/hold'; fi
exec '${git}' "$@"
`;
    await writeFile(join(dir, 'git'), script);
    await chmod(join(dir, 'git'), 0o755);
    await writeFile(join(dir, 'started'), '');
    vi.stubEnv('PATH', `${dir}:${process.env.PATH}`);
    fixture = await startClientFixture({ trustProxy: ['loopback'] });
    vi.unstubAllEnvs();
    await fixture.release('delve', '1.21.2');
    await fixture.hold('delve', '1.22.0');
    for (let n = 0; n < 20; n += 1) fixture.views.set(`pc-${n}`, [grantOf('delve', '1.22.0')]);
  });
  afterEach(async () => {
    await fixture.stop();
    await released?.close();
    await rm(dir, { recursive: true });
  });

  const started = async () => (await readFile(join(dir, 'started'), 'utf8')).split('\n').slice(0, -1);
  const backends = async () => (await started()).filter((line) => line === 'http-backend').length;
  const main = () => `${fixture.server.url}/git/main/go-win-tools.git`;

  async function refs(address: string, from = '203.0.113.1'): Promise<string> {
    const headers = { 'Git-Protocol': 'version=2', 'X-Forwarded-For': from };
    const offer = await fetch(`${address}/info/refs?service=git-upload-pack`, { headers });
    await offer.arrayBuffer();
    const answer = await fetch(`${address}/git-upload-pack`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/x-git-upload-pack-request' },
      body: '0014command=ls-refs\n0000',
    });
    expect([offer.status, answer.status]).toEqual([200, 200]);
    return answer.text();
  }
  const offer = async (address: string, from: string): Promise<number> =>
    (await fetch(`${address}/info/refs?service=git-upload-pack`, { headers: { 'X-Forwarded-For': from } }))
      .status;

  it('are as many as for everybody’s, once its commit is made, for each client of its view', async () => {
    const counted = async (address: string) => {
      const before = (await started()).length;
      const shown = await refs(address);
      return { shown, processes: (await started()).length - before };
    };
    await refs(main());
    await refs(fixture.address('pc-0'));
    const plain = await counted(main());
    const same = await counted(fixture.address('pc-0'));
    const other = await counted(fixture.address('pc-1'));

    expect(plain.processes).toBeGreaterThanOrEqual(2);
    expect(same.processes).toBe(plain.processes);
    expect(other.processes).toBe(plain.processes);
    expect(same.shown).not.toBe(plain.shown);
    expect(other.shown).toBe(same.shown);
  });

  it('share the slots of everybody’s: so many at once, and at most half of them for one network', async () => {
    await refs(fixture.address('pc-0'));
    // Opening a pipe to read from it takes until somebody has it open to write.
    await mustRun('mkfifo', [join(dir, 'hold')]);
    const before = await backends();
    const running = async () => (await backends()) - before;
    const both = (n: number) => (n % 2 === 0 ? main() : fixture.address(`pc-${n}`));

    const oneNetwork = Array.from({ length: 12 }, (_, n) => offer(both(n), '203.0.113.1'));
    // Together below the minute for which a request waits for a slot (serve-clients.ts).
    await expect.poll(running, { timeout: 20_000 }).toBe(8);
    await sleep(100);
    expect(await running()).toBe(8);
    const others = Array.from({ length: 12 }, (_, n) => offer(both(n), `198.51.100.${n}`));
    await expect.poll(running, { timeout: 20_000 }).toBe(16);
    await sleep(100);
    expect(await running()).toBe(16);

    released = await open(join(dir, 'hold'), 'r+');
    expect(new Set(await Promise.all([...oneNetwork, ...others]))).toEqual(new Set([200]));
    expect(await running()).toBe(24);
  });
});
