import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deltaBomb } from '../kit/pack-bombs.ts';
import { commands, rawPush } from '../kit/raw-push.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { makeTempDir } from '../kit/test-server.ts';

const adminKey = 'a-key-that-opens-this-server-of-a-test-only';

// Elsewhere nothing of git's own bounds the memory of its processes.
describe.skipIf(process.platform !== 'linux')('a push that unpacks to a huge one', () => {
  let dataDir: string;
  let server: ServeProcess;
  /** A machine with much else to do delays a server without any work, too. */
  let idle: ServeProcess;
  beforeAll(async () => {
    dataDir = await makeTempDir();
    server = await startServe({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', ADMIN_API_KEY: adminKey });
    idle = await startServe({ DATA_DIR: join(dataDir, 'idle'), LOG_LEVEL: 'silent' });
  });
  afterAll(async () => {
    await server?.end('SIGTERM');
    await idle?.end('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  });

  it('leaves /healthz as fast as before', async () => {
    const address = `${server.url}/git/beta/go-win-tools.git`;
    const tip = execFileSync('git', ['ls-remote', address, 'refs/heads/beta']).toString().slice(0, 40);
    const packets = commands(`${tip} ${'1'.repeat(40)} refs/heads/beta`);
    const waits: { busy: number; idle: number }[] = [];
    const waitFor = async ({ url }: ServeProcess): Promise<number> => {
      const start = performance.now();
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      return performance.now() - start;
    };
    let texts = '';
    const pushes = Promise.all(
      Array.from({ length: 4 }, async () => {
        texts += (await rawPush(address, adminKey, packets, deltaBomb(250, 100))).text;
      }),
    );
    let isOver = false;
    void pushes.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const [busy, other] = await Promise.all([waitFor(server), waitFor(idle)]);
      waits.push({ busy, idle: other });
    }
    await pushes;

    expect(texts).toContain('fatal: Out of memory');
    expect(waits.length).toBeGreaterThan(10);
    const slow = waits.filter(({ busy, idle }) => busy > Math.max(100, 3 * idle));
    expect(slow.length, JSON.stringify(slow)).toBeLessThan(waits.length / 10);
  });
});
