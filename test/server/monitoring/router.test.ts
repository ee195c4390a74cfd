import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { wholeDays } from '../../../server/monitoring/health.ts';
import { readSbomHash } from '../../../server/sbom-hash.ts';
import { productDir, startTestServer } from '../../kit/test-server.ts';

const sha256Of = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('monitoring routes', () => {
  it('say that the server is alive and ready', async () => {
    const server = await startTestServer();

    const answer = await fetch(`${server.url}/healthz`);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const sbom = await readFile(join(productDir, 'dist', 'sbom.cdx.json')).catch(() => undefined);
    expect(await answer.json()).toEqual({
      status: 'ok',
      version: '0.0.0-test',
      cert_expiry_days: null,
      sbom_hash: sbom === undefined ? null : sha256Of(sbom),
    });
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe('ready\n');
    await server.stop();
  });

  it('have the hash of the SBOM that was built, in the form that go-win-probe has', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-sbom-'));
    expect(await readSbomHash(dir)).toBeUndefined();
    await mkdir(join(dir, 'dist'));
    await writeFile(join(dir, 'dist', 'sbom.cdx.json'), '{}');
    expect(await readSbomHash(dir)).toBe(
      'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    );
    await rm(dir, { recursive: true });
  });

  it('tell the processes of servers apart', async () => {
    const servers = [await startTestServer(), await startTestServer()];
    const instances = await Promise.all(
      servers.map(async ({ url }) => (await fetch(`${url}/healthz`)).headers.get('x-instance')),
    );

    for (const instance of instances) expect(instance).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(instances).size).toBe(2);
    for (const server of servers) await server.stop();
  });

  it.each([
    ['2026-12-01T00:00:00Z', 0],
    ['2026-12-01T12:00:00Z', 1],
    ['2026-11-30T11:59:59Z', -1],
    ['2026-11-28T12:00:00Z', -2],
    ['2027-11-30T12:00:00Z', 365],
  ])('count whole days until %s: %i', (until, days) => {
    expect(wholeDays(new Date(until), new Date('2026-11-30T12:00:00Z'))).toBe(days);
  });

  it('name what does not answer, and stay alive', async () => {
    const server = await startTestServer();
    await rm(join(server.dataDir, 'blobs'), { recursive: true });
    await rm(join(server.dataDir, 'bucket'), { recursive: true });

    const answer = await fetch(`${server.url}/readyz`);

    expect([answer.status, await answer.text()]).toEqual([503, 'Not ready: blobs, git does not answer\n']);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.stop();
  });
});
