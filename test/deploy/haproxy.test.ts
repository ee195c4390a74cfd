import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
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

const isCheck = (req: IncomingMessage): boolean => req.url === '/readyz' || req.url === '/healthz';

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

  it('keeps the last address of each replica while no name server answers: checks decide who serves', () => {
    const [, resolvers = ''] = /^resolvers docker\n((?: .*\n)+)/m.exec(text) ?? [];
    const held = [...resolvers.matchAll(/^ {4}hold (\w+) (\S+)$/gm)].map(([, answer, time]) => [
      answer,
      time,
    ]);

    // By its default HAProxy takes servers out after 30 s of any of these but the first. `obsolete` stays as it is (0 s), or it would keep
    // the old address of a replica that got another.
    expect(Object.fromEntries(held)).toEqual({
      valid: '1s',
      timeout: '24d',
      refused: '24d',
      other: '24d',
      nx: '24d',
    });
  });

  it.skipIf(!hasProgram('haproxy'))('passes haproxy -c (needs haproxy)', async () => {
    const { code, stderr } = await run('haproxy', ['-c', '-f', haproxyFile]);

    // names of containers, which nobody knows here
    const warnings = stderr.split('\n').filter((line) => /WARNING|ALERT/.test(line));
    expect(warnings.filter((line) => !/could not resolve address 'feed-\d'/.test(line))).toEqual([]);
    expect(code, stderr).toBe(0);
  });
});

describe.skipIf(!hasProgram('haproxy'))('behind HAProxy (needs haproxy)', () => {
  const { serve, endLater } = useListeners();

  /** Answers with the address of the load balancer, as soon as it answers; `said` is its log. */
  async function startHaproxy(servers: readonly string[]) {
    const port = await freePort();
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-haproxy-'));
    const file = join(dir, 'haproxy.cfg');
    await writeFile(file, await haproxyConfig(port, servers));
    const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = whenEnded(haproxy);
    let log = '';
    haproxy.stdout.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    endLater(async () => {
      haproxy.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    });
    const url = `http://127.0.0.1:${port}`;
    while ((await fetch(`${url}/healthz`).catch(() => undefined)) === undefined) {
      if (haproxy.exitCode !== null) throw new Error(`haproxy ended with ${haproxy.exitCode}`);
      await sleep(50);
    }
    return { url, said: () => log };
  }

  /** HAProxy between a replica that ends each connection without an answer, and a good one. */
  async function startBalancer() {
    const seen = { dying: 0, good: [] as string[] };
    const good = await serve((req, res) => {
      if (isCheck(req)) return void res.end('ready');
      seen.good.push(`${req.method} ${req.url}`);
      res.end('good');
    });
    const dying = await serve((req, res) => {
      if (isCheck(req)) return void res.end('ready');
      seen.dying += 1;
      req.resume().once('end', () => req.socket.destroy());
    });
    const { url } = await startHaproxy([dying.url, good.url]);
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

  it('costs no read that a replica dies: another one answers', async () => {
    const { url, seen } = await startBalancer();

    const statuses = await askBoth(`${url}/nuget/package/delve/1.0.0`, seen, {});

    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('has no push repeated: a replica that dies may have done it', async () => {
    const { url, seen } = await startBalancer();

    const statuses = await askBoth(`${url}/nuget/`, seen, { method: 'PUT', body: 'a package' });

    // on a connection that had answers before, HAProxy passes on the end of the connection
    expect([0, 502]).toContain(statuses.at(-1));
    expect(seen.good).toHaveLength(statuses.length - 1);
  });

  it('gives a push to another replica where the connection fails, since nothing was sent', async () => {
    const { url, seen, stopDying } = await startBalancer();
    await stopDying();

    for (let push = 0; push < 4; push++) {
      expect((await fetch(`${url}/nuget/`, { method: 'PUT', body: 'a package' })).status).toBe(200);
    }
    expect(seen.good).toHaveLength(4);
  });

  it('asks replicas that live when none is ready', async () => {
    const away = await serve((req, res) => {
      res.statusCode = req.url === '/readyz' ? 503 : 200;
      res.end('from memory');
    });
    const { url, said } = await startHaproxy([away.url]);
    while (!said().includes('backend replicas has no server available')) await sleep(50);

    const answer = await fetch(`${url}/nuget/package/delve/1.0.0`);

    expect([answer.status, await answer.text()]).toEqual([200, 'from memory']);
  });
});
