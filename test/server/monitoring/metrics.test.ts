import { setImmediate } from 'node:timers/promises';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeedError } from '../../../server/errors.ts';
import type { InstallationValues } from '../../../server/installation-metrics.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { createMetricsHandler } from '../../../server/monitoring/metrics.ts';
import { readOpenRollouts } from '../../../server/monitoring/open-rollouts.ts';
import { createGitClient } from '../../kit/git.ts';
import { listen } from '../../kit/listen.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { type RolloutServer, startRolloutServer } from '../api/rollout-server.ts';

/** An installation that has nothing. */
const bare: InstallationValues = {
  version: '0.0.0-test',
  schemaVersion: 1,
  certificateExpiry: undefined,
  disk: undefined,
  lastBackup: undefined,
  auditEntries: 0,
  cache: undefined,
  collector: undefined,
};

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  servers.push(server);
  return server;
}
async function read(server: TestServer): Promise<string> {
  const answer = await fetch(`${server.url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return answer.text();
}

function putPayload(server: TestServer, key: string): Promise<Response> {
  return fetch(`${server.url}/dl/buf/1.32.0-beta.1/buf-windows-amd64.exe`, {
    method: 'PUT',
    headers: { 'X-NuGet-ApiKey': key },
    body: 'exe',
  });
}

describe('/metrics', () => {
  it('report requests, durations, pushes, downloads, the catalog and the process', async () => {
    const server = await start();
    const nupkg = makeNupkg({ id: 'Tool' });
    for (const key of [server.adminKey, server.adminKey, 'wrong']) await pushNupkg(server, nupkg, key);
    for (let n = 0; n < 3; n += 1) {
      await (await fetch(`${server.url}/nuget/package/tool/1.0.0`)).arrayBuffer();
    }
    await (await fetch(`${server.url}/nuget/package/none/1.0.0`)).arrayBuffer();

    const text = await read(server);

    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'gwt_requests_total{route="feed",method="PUT",status="201"} 1',
        'gwt_requests_total{route="package",method="GET",status="200"} 3',
        'gwt_requests_total{route="package",method="GET",status="404"} 1',
        'gwt_request_duration_seconds_count{route="package"} 4',
        'gwt_pushes_total{kind="package",outcome="published"} 1',
        'gwt_pushes_total{kind="package",outcome="PACKAGE_EXISTS"} 1',
        'gwt_pushes_total{kind="package",outcome="KEY_INVALID"} 1',
        'gwt_push_duration_seconds_count{kind="package"} 3',
        'gwt_downloads_total{id="tool"} 3',
        'gwt_catalog_ids 1',
        'gwt_catalog_versions 1',
        `gwt_catalog_bytes{kind="packages"} ${nupkg.length}`,
        'gwt_catalog_bytes{kind="payloads"} 0',
      ]),
    );
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d/m);
  });

  it('report how old what each channel offers is, and how payloads and git pushes ended', async () => {
    let time = new Date('2026-05-01T00:00:00Z');
    const server = await start({ server: { now: () => time } });
    const key = await makeKey(server, ['push']);
    const put = await putPayload(server, key);
    const hash = (await put.text()).trim();
    expect([put.status, (await putPayload(server, key)).status]).toEqual([201, 200]);
    expect((await putPayload(server, 'wrong')).status).toBe(403);
    const git = await createGitClient(await makeTempDir(), key);
    const work = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'work');
    await git.commit(work, 'buf: Update to version 1.32.0-beta.1', {
      'bucket/buf.json': manifest(server.url, '1.32.0-beta.1', hash),
    });
    await git.run(work, 'push', '-q', 'origin', 'beta');
    await git.commit(work, 'buf: Remove', { 'README.md': 'mine now' });
    await expect(git.run(work, 'push', '-q', 'origin', 'beta')).rejects.toThrow();
    time = new Date('2026-05-03T12:00:00Z');

    const text = await read(server);

    expect(text).toContain('gwt_tool_age_days{tool="buf",channel="beta"} 2.5\n');
    expect(text).not.toContain('channel="main"');
    expect(text.split('\n').filter((line) => line.startsWith('gwt_pushes_total'))).toEqual([
      'gwt_pushes_total{kind="payload",outcome="published"} 1',
      'gwt_pushes_total{kind="payload",outcome="same"} 1',
      'gwt_pushes_total{kind="payload",outcome="KEY_INVALID"} 1',
      'gwt_pushes_total{kind="bucket",outcome="published"} 1',
      'gwt_pushes_total{kind="bucket",outcome="refused"} 1',
    ]);
  });

  const ageOfBuf = (listManifests: () => Promise<readonly { tool: string; version: string }[]>) => {
    const now = () => new Date('2026-05-03T12:00:00Z');
    return createMetricsHandler({
      config: {},
      metrics: createMetrics(),
      now,
      bucket: { listManifests },
      payloads: { list: async () => [{ created: now() }] as never, totalBytes: async () => 0 },
      catalog: {
        find: async () => undefined,
        totals: async () => ({ ids: 0, versions: 0, bytes: 0 }),
      },
      rollouts: { listOpen: async () => [], details: () => Promise.reject(new Error('there is none')) },
      version: '0.0.0-test',
      audit: { head: async () => ({ number: 0, hash: '' }) },
      installation: { dataDir: '/nonexistent', schemaVersion: 1, backups: { last: async () => undefined } },
    });
  };

  it('read the bucket once for all simultaneous requests, and each answer has the ages', async () => {
    let read = 0;
    const handler = ageOfBuf(async () => {
      read += 1;
      await setImmediate();
      return [{ tool: 'buf', version: '1.32.0' }];
    });
    const server = await listen(express().get('/metrics', handler));
    try {
      const asking = Array.from({ length: 20 }, async () => (await fetch(`${server.url}/metrics`)).text());
      for (const text of await Promise.all(asking)) {
        expect(text).toContain('gwt_tool_age_days{tool="buf",channel="beta"} 0\n');
      }
    } finally {
      await server.stop();
    }
    // main and beta
    expect(read).toBe(2);
  });

  it('are there while the bucket of several servers cannot catch up, and not where it is broken', async () => {
    const ask = async (code: 'BUCKET_BEHIND' | 'BUCKET_BROKEN') => {
      const server = await listen(
        express().get(
          '/metrics',
          ageOfBuf(() => Promise.reject(new FeedError(code, { branch: 'main' }))),
        ),
      );
      try {
        const answer = await fetch(`${server.url}/metrics`);
        return { status: answer.status, text: await answer.text() };
      } finally {
        await server.stop();
      }
    };

    const { status, text } = await ask('BUCKET_BEHIND');
    expect(status).toBe(200);
    expect(text).toContain('gwt_catalog_');
    expect((await ask('BUCKET_BROKEN')).status).toBe(503);
  });

  it('are open, except under READ_AUTH=all', async () => {
    const [open, feed, all] = [
      await start(),
      await start({ readAuth: 'feed' }),
      await start({ readAuth: 'all' }),
    ];
    const status = async (server: TestServer, key?: string): Promise<number> =>
      (
        await fetch(
          `${server.url}/metrics`,
          key === undefined ? {} : { headers: { Authorization: `Bearer ${key}` } },
        )
      ).status;

    expect([await status(open), await status(feed), await status(all)]).toEqual([200, 200, 401]);
    expect(await status(all, await makeKey(all, ['read']))).toBe(200);
    expect((await fetch(`${open.url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('have a limited number of rows, whatever is requested', async () => {
    const metrics = createMetrics();
    for (let n = 0; n < 500; n += 1) metrics.countDownload(`tool-${n}`);
    for (const method of ['GET', 'BREW', 'PROPFIND', undefined]) {
      metrics.observeRequest('feed', method, undefined, 1);
    }

    const text = await metrics.print({
      catalogTotals: async () => ({ ids: 0, versions: 0, bytes: 0 }),
      payloadBytes: async () => 0,
      toolAges: async () => [],
      openRollouts: async () => [],
      installation: async () => bare,
    });

    const rows = text.split('\n').filter((line) => line.startsWith('gwt_downloads_total{'));
    expect(rows).toHaveLength(201);
    expect(rows).toContain('gwt_downloads_total{id="other"} 300');
    expect(text).toContain('gwt_requests_total{route="feed",method="other",status="0"} 3');
  });
});

describe('the metrics of rollouts', () => {
  let server: RolloutServer;
  beforeEach(async () => {
    server = await startRolloutServer();
  });
  afterEach(() => server.stop());

  async function rowsAt(time: string): Promise<string[]> {
    server.time = new Date(time);
    const text = await createMetrics().print({
      catalogTotals: async () => ({ ids: 0, versions: 0, bytes: 0 }),
      payloadBytes: async () => 0,
      toolAges: async () => [],
      openRollouts: () => readOpenRollouts(server.rollouts),
      installation: async () => bare,
    });
    return text.split('\n').filter((line) => line.startsWith('gwt_rollout_'));
  }

  it('show the open ones: state, steps, clients, and how long they wait for more than their hold', async () => {
    server.held.add('delve 1.22.0');
    const key = await server.key(['push', 'rollout'], { owner: 'ann' });
    await server.see('pc-1', 'pc-2');
    const plan = { steps: [{ percent: 100, hold: '20s' }] };
    await server.call('POST', '/rollouts', key, { tool: 'delve', version: '1.22.0', plan });
    await server.rollouts.admit('pc-1');
    for (const second of [10, 20, 30, 50]) {
      server.time = new Date(Date.parse('2026-11-30T09:00:00Z') + second * 1000);
      await server.rollouts.tick();
    }

    const of = 'tool="delve",version="1.22.0"';
    expect(await rowsAt('2026-11-30T09:00:50Z')).toEqual([
      `gwt_rollout_open{${of},state="rolling"} 1`,
      `gwt_rollout_step{${of}} 1`,
      `gwt_rollout_waiting_seconds{${of},waits_for="evidence"} 30`,
      `gwt_rollout_clients{${of},are="known"} 2`,
      `gwt_rollout_clients{${of},are="eligible"} 2`,
      `gwt_rollout_clients{${of},are="admitted"} 1`,
      `gwt_rollout_clients{${of},are="received"} 0`,
    ]);

    await server.call('POST', '/rollouts/1/halt', key);

    expect(await rowsAt('2026-11-30T09:02:00Z')).toContain(
      `gwt_rollout_waiting_seconds{${of},waits_for="resume"} 70`,
    );

    await server.call('POST', '/rollouts/1/rollback', key);

    expect(await rowsAt('2026-11-30T09:03:00Z')).toEqual([]);
  });
});

function manifest(base: string, version: string, hash: string): string {
  const url = `${base}/dl/buf/${version}/buf-windows-amd64.exe#/buf.exe`;
  const text = JSON.stringify(
    {
      version,
      description: 'Protocol buffers, linted.',
      homepage: 'https://example.org',
      license: 'Apache-2.0',
      architecture: { '64bit': { url, hash } },
      bin: 'buf.exe',
      checkver: { url: `${base}/m/beta/buf.json`, jsonpath: '$.version' },
    },
    undefined,
    4,
  );
  return `${text}\n`;
}
