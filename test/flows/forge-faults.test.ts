import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForgeRelease } from '../kit/forge.ts';
import type { Fault } from '../kit/forge-faults.ts';
import type { ForgeAsset } from '../kit/forge-store.ts';
import { delveRelease } from '../kit/generator.ts';
import { startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, startTestServer, type TestServer } from '../kit/test-server.ts';

/**
 * Every fault that a forge can have (spec upstream 2 and 3), through the whole of release:beta: another try cures it, or it
 * ends with exit 3 or 4 and nothing is published. Sources that never answer: test/manifest-gen/sources/github/github.test.ts,
 * where patience is shorter.
 */
type Case = {
  readonly api?: readonly Fault[];
  /** The file whose name ends so gets this. */
  readonly asset?: readonly [ending: string, Partial<ForgeAsset>];
  readonly release?: (release: ForgeRelease) => ForgeRelease;
};

const amd64 = 'amd64.zip';
const sums = 'checksums.txt';
const once = (status: number): Fault => ({ kind: 'status', status, times: 1 });
const always = (status: number): Fault => ({ kind: 'status', status });

const cured: Record<string, Case> = {
  'the API answers 502 once': { api: [once(502)] },
  'the API cuts the connection once': { api: [{ kind: 'cut', afterBytes: 0, times: 1 }] },
  'the API limits the rate for a second': {
    api: [{ kind: 'status', status: 403, headers: { 'retry-after': '1' }, times: 1 }],
  },
  'the store answers 503 once': { asset: [amd64, { fault: once(503) }] },
  'the store cuts the file in the middle': {
    asset: [amd64, { fault: { kind: 'cut', afterBytes: 400, times: 1 } }],
  },
  'the store cuts the file and knows no ranges': {
    asset: [amd64, { fault: [{ kind: 'cut', afterBytes: 400, times: 1 }, { kind: 'no-range' }] }],
  },
  'the API answers once with a page of HTML': { api: [{ kind: 'html', times: 1 }] },
  'the API answers once with half of its JSON': {
    api: [{ kind: 'bytes', bytes: Buffer.from('[{"tag_name": "v1'), times: 1 }],
  },
  'the store sends once a file of another length': {
    asset: [amd64, { fault: { kind: 'bytes', bytes: Buffer.from('PK and not much more'), times: 1 } }],
  },
  'an old upload has no digest': { asset: [amd64, { digest: false }] },
};

const refused: Record<string, Case> = {
  'the store answers with a page of HTML and status 200': { asset: [amd64, { fault: { kind: 'html' } }] },
  'the store calls a page of HTML a file': {
    asset: [amd64, { fault: { kind: 'html', type: 'application/octet-stream' } }],
  },
  'the checksum file is a page of HTML': { asset: [sums, { fault: { kind: 'html' } }] },
  'the store does not have what the release lists': { asset: [amd64, { fault: always(404) }] },
  'the file is longer than the API says': { asset: [amd64, { statedBytes: 100 }] },
  'the file is shorter than the API says': { asset: [amd64, { statedBytes: 1_000_000 }] },
  'the file has another digest than the API says': { asset: [amd64, { digest: `sha256:${'a'.repeat(64)}` }] },
  'the store has other bytes of the same length': {
    asset: [amd64, { fault: { kind: 'bytes', bytes: otherBytes() } }],
  },
  'the file is not in the checksum file': {
    release: (release) => withSums(release, `${'a'.repeat(64)}  another.zip\n`),
  },
  'the checksum file has it under another hash': {
    release: (release) => withSums(release, `${'a'.repeat(64)}  dlv_1.26.3_windows_amd64.zip\n`),
  },
};

const unreachable: Record<string, Case> = {
  'the API answers with a page of HTML and status 200': { api: [{ kind: 'html' }] },
  'the API answers with half of its JSON': {
    api: [{ kind: 'bytes', bytes: Buffer.from('[{"tag_name": "v1') }],
  },
  'the API answers 503 for good': { api: [always(503)] },
  'the API limits the rate for an hour': {
    api: [{ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }],
  },
  'the API knows us not (401)': { api: [always(401)] },
  'the API refuses us (403)': { api: [always(403)] },
  'the store answers 500 for good': { asset: [amd64, { fault: always(500) }] },
  'the store cuts each connection at once': { asset: [amd64, { fault: { kind: 'cut', afterBytes: 0 } }] },
};

const skipped: Record<string, Case> = {
  'the release has no file yet': { release: (release) => ({ ...release, assets: [] }) },
  'the upload of the file has not ended': { asset: [amd64, { isOpen: true }] },
  'the release is a draft': { release: (release) => ({ ...release, isDraft: true }) },
  'the release is a prerelease': { release: (release) => ({ ...release, isPrerelease: true }) },
};

describe.concurrent('a forge with faults', () => {
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer();
    key = await makeKey(server, ['push:beta']);
  });
  afterAll(() => server.stop());

  it.each(Object.entries(cured))('recovers after a retry: %s', async (_, given) => {
    const own = await startTestServer();
    try {
      const result = await release(own, own.adminKey, given);
      expect(result).toMatchObject({ exitCode: 0 });
      expect(result.stdout).toContain('delve 1.26.3-beta.1: released');
    } finally {
      await own.stop();
    }
  });

  it.each(Object.entries(refused))('is exit 3 and nothing published: %s', async (_, given) => {
    expect(await release(server, key, given)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('Nothing was published.'),
    });
    expect(await published(server)).toEqual([404, 404]);
  });

  it.each(Object.entries(unreachable))('is exit 4 and nothing published: %s', async (_, given) => {
    expect(await release(server, key, given)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('Nothing was published.'),
    });
    expect(await published(server)).toEqual([404, 404]);
  });

  it.each(Object.entries(skipped))('takes the release before it: %s', async (_, given) => {
    const own = await startTestServer();
    try {
      const result = await release(own, own.adminKey, given, [delveRelease('1.26.2')]);
      expect(result).toMatchObject({ exitCode: 0 });
      expect(result.stdout).toContain('delve 1.26.2-beta.1: released');
    } finally {
      await own.stop();
    }
  });
});

async function release(server: TestServer, key: string, given: Case, older: readonly ForgeRelease[] = []) {
  const fixture = await startReleaseFixture({
    server,
    repositories: { 'go-delve/delve': [releaseOf(given), ...older] },
    settings: { FEED_API_KEY: key },
  });
  for (const fault of given.api ?? []) fixture.forge.failApi(fault);
  try {
    return await fixture.generator.run('release:beta', ['delve', '--source', 'github']);
  } finally {
    await fixture.stop();
    expect(fixture.forge.leaks).toEqual([]);
  }
}

function releaseOf({ asset: [ending, fault] = ['', {}], release = (one) => one }: Case): ForgeRelease {
  const honest = delveRelease('1.26.3');
  const assets = (honest.assets ?? []).map((asset) =>
    ending !== '' && asset.name.endsWith(ending) ? { ...asset, ...fault } : asset,
  );
  return release({ ...honest, assets });
}

function withSums(release: ForgeRelease, text: string): ForgeRelease {
  const assets = (release.assets ?? []).map((asset) =>
    asset.name === sums ? { ...asset, bytes: Buffer.from(text) } : asset,
  );
  return { ...release, assets };
}

function otherBytes(): Buffer {
  const [zip] = delveRelease('1.26.3').assets ?? [];
  const bytes = Buffer.from(zip?.bytes ?? []);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  return bytes;
}

/** What feed and branch say of delve. */
async function published({ url }: TestServer): Promise<number[]> {
  const addresses = ["/nuget/Packages(Id='delve',Version='1.26.3-beta.1')", '/m/beta/delve.json'];
  return Promise.all(addresses.map(async (address) => (await fetch(url + address)).status));
}
