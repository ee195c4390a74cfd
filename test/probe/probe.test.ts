import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { hasGo } from '../kit/exe.ts';
import { mustRun, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';
import { whenEnded } from '../kit/when-ended.ts';
import { hasWine, startWine, type Wine } from '../kit/wine.ts';

useDisk();

const source = join(productDir, 'probe');
const sbom = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });

describe.skipIf(!hasGo)('go-win-probe (needs go)', { timeout: 1_800_000 }, () => {
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    await writeFile(join(dir, 'sbom.json'), sbom);
  });
  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  const go = (args: readonly string[], env: Record<string, string> = {}): Promise<string> =>
    mustRun('go', args, { cwd: source, env: { ...process.env, ...env } });

  it('passes its own tests, the seeds of its fuzz tests among them', async () => {
    const { code, stdout, stderr } = await run('go', ['test', '-count=1', '.'], { cwd: source });

    expect(code, stdout + stderr).toBe(0);
  });

  it('is well formed Go on both systems (needs gofmt and go vet)', async () => {
    expect(await mustRun('gofmt', ['-l', source])).toBe('');
    await go(['vet', '.']);
    await go(['vet', '.'], { GOOS: 'windows' });
  });

  it('answers /healthz and /metrics, is found healthy by -check, and ends when it is asked to', async () => {
    const program = join(dir, 'go-win-probe');
    await go(['build', '-buildvcs=false', '-o', program, '.']);
    const probe = await startProbe(program, ['-listen', '127.0.0.1:0', '-sbom', join(dir, 'sbom.json')]);
    try {
      const health = await fetch(`${probe.url}/healthz`);
      expect([health.status, await health.json()]).toEqual([
        200,
        {
          status: 'ok',
          go_version: (await mustRun('go', ['env', 'GOVERSION'], { cwd: dir })).trim(),
          cert_expiry_days: expect.any(Number),
          sbom_hash: `sha256:${digestBytes(Buffer.from(sbom)).sha256}`,
        },
      ]);
      const metrics = await (await fetch(`${probe.url}/metrics`)).text();
      for (const name of ['go_goroutines', 'process_resident_memory_bytes', 'go_win_probe_certs']) {
        expect(metrics).toMatch(new RegExp(`^${name} \\d`, 'm'));
      }
      await mustRun(program, ['-check', `${probe.url}/healthz`]);
    } finally {
      expect(await probe.end()).toBe(0);
    }
    expect(await run(program, ['-check', `${probe.url}/healthz`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no healthy answer'),
    });
  });

  describe.skipIf(!hasWine)('on Windows (needs wine)', () => {
    let wine: Wine;
    beforeAll(async () => {
      wine = await startWine(join(dir, 'windows'));
    });
    afterAll(() => wine?.stop());

    it('passes its own tests, with the certificate store and the job objects that wine has', async () => {
      const program = join(dir, 'probe.test.exe');
      await go(['test', '-c', '-o', program, '.'], { GOOS: 'windows' });

      const { code, stdout, stderr } = await wine.run(program, ['-test.v']);

      expect(code, stdout + stderr).toBe(0);
      expect(stdout).toContain('--- PASS: TestThisMachine');
    });
  });
});

/** The program, once it listens. */
async function startProbe(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = whenEnded(child);
  const [, url = ''] = await new Promise<RegExpExecArray>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      const at = /answers at (http:\/\/[^/]+)\//.exec(line);
      if (at !== null) resolve(at);
    });
    void ended.then(({ code }) => reject(new Error(`the probe ended with ${code}`)));
  });
  return {
    url,
    async end(): Promise<number | null> {
      child.kill('SIGTERM');
      return (await ended).code;
    },
  };
}
