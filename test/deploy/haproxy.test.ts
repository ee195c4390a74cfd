import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { haproxyConfig, haproxyFile } from '../kit/haproxy.ts';
import { useListeners } from '../kit/listen.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { whenEnded } from '../kit/when-ended.ts';

const text = await readFile(haproxyFile, 'utf8');

describe('deploy/haproxy.cfg', () => {
  it('takes a replica that hangs out of the rotation within 3 s', () => {
    const check = /default-server check inter (\d+)ms fastinter (\d+)ms fall 2 /.exec(text);
    const [, seconds] = /timeout check (\d+)s/.exec(text) ?? [];
    const [, inter, fastinter] = check ?? [];

    // the check just before was good; then two wait in vain
    expect(Number(inter) + Number(fastinter) + 2 * 1000 * Number(seconds)).toBeLessThanOrEqual(3000);
    expect(text).toContain('option httpchk GET /readyz');
  });

  it('waits longer than the replicas do, so that clients get their answers', async () => {
    const limits = await readFile(join(import.meta.dirname, '../../server/http/limits.ts'), 'utf8');
    const [, stalledMinutes] = /stalledMs: (\d+) \* minuteMs/.exec(limits) ?? [];

    for (const side of ['client', 'server']) {
      const [, minutes] = new RegExp(`timeout ${side} (\\d+)m`).exec(text) ?? [];
      expect(Number(minutes), side).toBeGreaterThan(Number(stalledMinutes));
    }
  });

  it.skipIf(!hasProgram('haproxy'))('passes haproxy -c (needs haproxy)', async () => {
    const { code, stderr } = await run('haproxy', ['-c', '-f', haproxyFile]);

    // names of containers, which nobody knows here
    const warnings = stderr.split('\n').filter((line) => /WARNING|ALERT/.test(line));
    expect(warnings.filter((line) => !/could not resolve address 'feed-\d'/.test(line))).toEqual([]);
    expect(code, stderr).toBe(0);
  });
});

describe.skipIf(!hasProgram('haproxy'))('a replica that dies (needs haproxy)', () => {
  const { serve, endLater } = useListeners();

  /** HAProxy between a replica that ends each connection without an answer, and a good one. */
  async function startBalancer() {
    const seen = { dying: 0, good: [] as string[] };
    const good = await serve((req, res) => {
      if (req.url === '/readyz') return void res.end('ready');
      seen.good.push(`${req.method} ${req.url}`);
      res.end('good');
    });
    const dying = await serve((req, res) => {
      if (req.url === '/readyz') return void res.end('ready');
      seen.dying += 1;
      req.resume().once('end', () => req.socket.destroy());
    });
    const port = await freePort();
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-haproxy-'));
    const file = join(dir, 'haproxy.cfg');
    await writeFile(file, await haproxyConfig(port, [dying.url, good.url]));
    const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = whenEnded(haproxy);
    endLater(async () => {
      haproxy.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    });
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
      if (haproxy.exitCode !== null) throw new Error(`haproxy ended with ${haproxy.exitCode}`);
      await sleep(50);
    }
    return { url, seen, stopDying: dying.stop };
  }

  /** Asks until the dying replica got one of the requests; the statuses of the answers, 0 where the connection ended without one. */
  async function askBoth(url: string, seen: { readonly dying: number }, init: RequestInit) {
    const statuses: number[] = [];
    while (seen.dying === 0) {
      const answer = await fetch(url, init).catch(() => undefined);
      statuses.push(answer?.status ?? 0);
    }
    return statuses;
  }

  it('costs no read: another replica answers', async () => {
    const { url, seen } = await startBalancer();

    const statuses = await askBoth(`${url}/nuget/package/delve/1.0.0`, seen, {});

    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('has no push repeated: it may have done it', async () => {
    const { url, seen } = await startBalancer();

    const statuses = await askBoth(`${url}/nuget/`, seen, { method: 'PUT', body: 'a package' });

    // on a connection that had answers before, HAProxy passes on the end of the connection
    expect([0, 502]).toContain(statuses.at(-1));
    expect(seen.good).toHaveLength(statuses.length - 1);
  });

  it('gets no push once its port is closed: nothing was sent, so another replica gets it', async () => {
    const { url, seen, stopDying } = await startBalancer();
    await stopDying();

    for (let push = 0; push < 4; push++) {
      expect((await fetch(`${url}/nuget/`, { method: 'PUT', body: 'a package' })).status).toBe(200);
    }
    expect(seen.good).toHaveLength(4);
  });
});
