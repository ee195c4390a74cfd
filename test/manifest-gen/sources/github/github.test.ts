import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../../formats/digest.ts';
import type { Fetched, Found } from '../../../../manifest-gen/release.ts';
import { createGithub } from '../../../../manifest-gen/sources/github/github.ts';
import { makeTinyExe } from '../../../kit/exe.ts';
import { type Forge, type ForgeOptions, type ForgeRelease, startForge } from '../../../kit/forge.ts';
import type { Fault } from '../../../kit/forge-faults.ts';
import type { ForgeAsset } from '../../../kit/forge-store.ts';
import { type Listening, listen } from '../../../kit/listen.ts';
import {
  failureOf,
  makeTool,
  makeUpstreamFixture,
  type UpstreamFixture,
} from '../../../kit/upstream-fixture.ts';

const exe = Buffer.concat([makeTinyExe(), Buffer.alloc(300_000, 7)]);
const tool = makeTool({
  sources: [
    {
      kind: 'github',
      repository: 'acme/hello',
      assets: { amd64: 'hello.exe', arm64: 'hello-arm64.exe' },
      checksums: 'checksums.txt',
      minisig: 'checksums.txt.minisig',
    },
  ],
});

let forge: Forge;
let fixture: UpstreamFixture;
afterEach(async () => {
  await forge?.stop();
  await fixture?.stop();
});

type Given = ForgeOptions & {
  readonly sent?: string;
  readonly isPrivate?: boolean;
  readonly idleTimeoutMs?: number;
};

async function serve(releases: readonly ForgeRelease[], given: Given = {}) {
  forge = await startForge(given);
  forge.addRepository('acme/hello', releases, { isPrivate: given.isPrivate ?? false });
  fixture = await makeUpstreamFixture({ apiUrl: forge.apiUrl, token: given.sent });
  const { retryPolicy } = fixture.settings;
  const idleTimeoutMs = given.idleTimeoutMs ?? retryPolicy.idleTimeoutMs;
  return createGithub({ ...fixture.settings, retryPolicy: { ...retryPolicy, idleTimeoutMs } });
}

/** Fetches release 1.0.0 with one asset, `hello.exe`. */
async function fetchOne(asset: Partial<ForgeAsset>, given: Given = {}): Promise<Fetched> {
  const assets = [{ name: 'hello.exe', bytes: exe, ...asset }];
  const github = await serve([{ tag: 'v1.0.0', assets }], given);
  return github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report);
}

async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesOf({ assets }: Fetched): Promise<Buffer> {
  return readFile(assets[0]!.path);
}

describe('releases of a forge', () => {
  it.each(['number', 'name'] as const)(
    'are read over all pages when the next one is named by %s',
    async (linkForm) => {
      const releases = Array.from({ length: 120 }, (_, index) => ({ tag: `v1.0.${119 - index}` }));
      const github = await serve(releases, { linkForm });

      const versions = await github.versions(tool);

      expect(versions).toHaveLength(120);
      expect(versions.at(-1)).toEqual({ version: '1.0.0', published: new Date('2026-01-01T00:00:00Z') });
      expect(forge.requests).toHaveLength(3);
    },
  );

  it.each(['http://127.0.0.1:1', 'http://['])(
    'are refused when the next page is at %s',
    async (nextOrigin) => {
      const releases = Array.from({ length: 60 }, (_, index) => ({ tag: `v1.0.${index}` }));
      const github = await serve(releases, {
        nextOrigin,
        token: 'secret',
        sent: 'secret',
      });
      expect(await failureOf(github.versions(tool))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
    },
  );

  it('leave out drafts, prereleases, nightlies and odd tags', async () => {
    const tags = [
      'nightly',
      'v2.0.0-52825890-nightly',
      'v0.1.0.beta',
      'v1.0.0-rc1',
      'v01.2.3x',
      'v2024.01.02',
      'v9007199254740993.0.0',
      '1.5.0',
      'v1.4.0',
    ];
    const github = await serve([
      { tag: 'v3.0.0', isDraft: true },
      { tag: 'v2.0.0', isPrerelease: true },
      ...tags.map((tag) => ({ tag })),
    ]);
    expect((await github.versions(tool)).map(({ version }) => version)).toEqual(['1.4.0']);
  });

  it('are not taken when upstream marks them as a prerelease, with the reason', async () => {
    const github = await serve([
      { tag: 'v1.0.0', isPrerelease: true, assets: [{ name: 'hello.exe', bytes: exe }] },
    ]);
    const failure = await failureOf(github.find(tool, '1.0.0'));
    expect(failure).toMatchObject({ code: 'VERSION_NOT_TAKEN', exitCode: 1 });
    expect(failure.message).toContain('marks v1.0.0 as a prerelease');
  });

  it('lack the tool without the asset for amd64, naming the existing ones', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello-windows.exe.sbom', bytes: exe }] }]);
    expect(await github.find(tool, '1.0.0')).toEqual({
      kind: 'github',
      lacks: 'release v1.0.0 has no hello.exe; it has hello-windows.exe.sbom',
    });
  });

  it('lack the tool while the upload of the asset has not finished', async () => {
    const github = await serve([
      { tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe, isOpen: true }] },
    ]);
    expect(await github.find(tool, '1.0.0')).toMatchObject({
      lacks: expect.stringContaining('has no hello.exe'),
    });
  });

  it('are for amd64 alone when there is no asset for arm64', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);
    expect(await github.find(tool, '1.0.0')).toMatchObject({ offers: [{ architecture: 'amd64' }] });
  });

  it('include checksum file and signature, if they exist', async () => {
    const sums = { name: 'checksums.txt', bytes: Buffer.from('abc  hello.exe\n') };
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }, sums] }]);
    const { sidecars } = await github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report);
    expect(sidecars).toEqual([{ name: 'checksums.txt', text: 'abc  hello.exe\n' }]);
  });

  it("name upstream's public address, not the one that was used", async () => {
    const { assets, found } = await fetchOne({});
    expect(found.upstream).toBe('github.com/acme/hello@v1.0.0');
    expect(assets[0]!.url).toBe('https://github.com/acme/hello/releases/download/v1.0.0/hello.exe');
  });

  it('pass on that the forge makes them immutable', async () => {
    const assets = [{ name: 'hello.exe', bytes: exe }];
    const github = await serve([{ tag: 'v1.0.0', isImmutable: true, assets }]);
    const fetched = await github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report);
    expect(fetched.assets[0]?.stated).toMatchObject({ algorithm: 'sha256', isImmutable: true });
  });

  it('pass on the digest that the forge states, and none for an old upload', async () => {
    const stated = await fetchOne({});
    expect(stated.assets[0]!.stated).toMatchObject({
      algorithm: 'sha256',
      hex: stated.assets[0]!.digest.sha256,
    });
    await forge.stop();
    await fixture.stop();
    expect((await fetchOne({ digest: false })).assets[0]!.stated).toBeUndefined();
  });
});

describe('a token', () => {
  it('goes to the API and never to the store', async () => {
    expect(await bytesOf(await fetchOne({}, { token: 'secret', sent: 'secret' }))).toEqual(exe);
    expect(forge.requests).toContainEqual(
      expect.stringContaining('api GET /repos/acme/hello/releases/assets/'),
    );
    expect(forge.leaks).toEqual([]);
  });

  it('opens a private repository, which is not there without', async () => {
    expect(await bytesOf(await fetchOne({}, { token: 'secret', sent: 'secret', isPrivate: true }))).toEqual(
      exe,
    );
    await forge.stop();
    await fixture.stop();
    const github = await serve([{ tag: 'v1.0.0', assets: [] }], { token: 'secret', isPrivate: true });
    expect(await github.find(tool, '1.0.0')).toMatchObject({
      lacks: expect.stringContaining('no release v1.0.0'),
    });
  });

  it('that is wrong ends with exit code 4 at once and is not shown', async () => {
    const github = await serve([{ tag: 'v1.0.0' }], { token: 'secret', sent: 'mistyped' });
    const failure = await failureOf(github.find(tool, '1.0.0'));
    expect(failure).toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 4 });
    expect(failure.message).toContain('status 401, Bad credentials');
    expect(failure.message).not.toContain('mistyped');
    expect(forge.requests).toHaveLength(1);
  });
});

describe('GitHub Enterprise', () => {
  /** One host for API, pages and files (spec upstream 2). */
  async function startEnterprise(): Promise<Listening> {
    const host = await listen(async (request, response) => {
      const path = request.url ?? '/';
      const isApi = path.startsWith('/api/v3/');
      const behind = isApi ? `${forge.apiUrl}${path.slice('/api/v3'.length)}` : `${forge.storeUrl}${path}`;
      const sent = ['authorization', 'accept', 'user-agent', 'range', 'if-none-match'].flatMap((name) => {
        const value = request.headers[name];
        return value === undefined ? [] : [[name, String(value)] as [string, string]];
      });
      const answer = await fetch(behind, { headers: sent, redirect: 'manual' });
      const here = (text: string): string =>
        text.replaceAll(forge.apiUrl, `${host.url}/api/v3`).replaceAll(forge.storeUrl, host.url);
      for (const name of ['content-type', 'link', 'location', 'etag']) {
        const value = answer.headers.get(name);
        if (value !== null) response.setHeader(name, here(value));
      }
      const body = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status).end(isApi && answer.status === 200 ? here(body.toString()) : body);
    });
    return host;
  }

  it.each(['number', 'name'] as const)(
    'has its API below /api/v3 of the host that has the files: pages named by %s, a private repository, its files',
    async (linkForm) => {
      forge = await startForge({ linkForm, token: 'secret' });
      const release = { tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] };
      const others = Array.from({ length: 60 }, (_, at) => ({ tag: `v2.0.${at}` }));
      forge.addRepository('acme/hello', [...others, release], { isPrivate: true });
      const enterprise = await startEnterprise();
      fixture = await makeUpstreamFixture({ apiUrl: `${enterprise.url}/api/v3`, token: 'secret' });
      const github = createGithub(fixture.settings);

      const versions = await github.versions(tool);
      const fetched = await github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report);
      await enterprise.stop();

      expect(versions).toHaveLength(61);
      expect(await bytesOf(fetched)).toEqual(exe);
    },
  );
});

describe('an API with faults', () => {
  const releases = [{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }];
  const serveFailing = async (fault: Fault, given: Given = {}) => {
    const github = await serve(releases, given);
    forge.failApi(fault);
    return github;
  };

  it('is asked again after a 5xx and a cut connection', async () => {
    const github = await serveFailing({ kind: 'status', status: 502, times: 1 });
    forge.failApi({ kind: 'cut', afterBytes: 0, times: 1 });
    expect(await github.find(tool, '1.0.0')).toMatchObject({ version: '1.0.0' });
    expect(forge.requests).toHaveLength(3);
  });

  it.each<[string, Fault]>([
    ['answers with 5xx', { kind: 'status', status: 503 }],
    ['cuts each connection', { kind: 'cut', afterBytes: 0 }],
    ['never answers', { kind: 'hang' }],
    ['limits the rate until later', rateLimit(3600)],
    ['limits the rate for an hour', { kind: 'status', status: 429, headers: { 'retry-after': '3600' } }],
    [
      'limits the rate in words only',
      { kind: 'status', status: 403, message: 'You have exceeded a secondary rate limit' },
    ],
  ])('ends with exit code 4 when it %s', async (_, fault) => {
    const github = await serveFailing(fault, { idleTimeoutMs: 200 });
    expect(await failureOf(github.find(tool, '1.0.0'))).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      exitCode: 4,
    });
  });

  it('is given the pause it asks for, when that is short, with a countdown', async () => {
    const github = await serveFailing({
      kind: 'status',
      status: 403,
      headers: { 'retry-after': '2' },
      times: 1,
    });
    expect(await github.find(tool, '1.0.0')).toMatchObject({ version: '1.0.0' });
    const told = `pause hello ${new URL(forge.apiUrl).host}: its rate limit is used up (GITHUB_TOKEN gives a higher one)`;
    expect(fixture.said).toEqual([`${told} 2000`, `${told} 1000`]);
  });

  it('is reported with the flag that would wait, when it asks for more than --max-wait', async () => {
    const github = await serveFailing({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    expect((await failureOf(github.find(tool, '1.0.0'))).message).toContain(
      'for another 3600 s; --max-wait 3600s would wait for it',
    );
    expect(forge.requests).toHaveLength(1);
  });

  it('is trusted about the time: a limit counts by its clock', async () => {
    const github = await serve(releases);
    // one hour ahead of this machine, and a reset one second later
    const nowS = Math.floor(Date.now() / 1000) + 3600;
    forge.failApi({
      kind: 'status',
      status: 403,
      times: 1,
      headers: {
        date: new Date(nowS * 1000).toUTCString(),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(nowS + 1),
      },
    });
    expect(await github.find(tool, '1.0.0')).toMatchObject({ version: '1.0.0' });
  });

  it.each<[string, Fault, string]>([
    ['a page of HTML with status 200', { kind: 'html' }, 'a page of HTML instead of JSON'],
    ['half of its JSON', { kind: 'bytes', bytes: Buffer.from('{"tag_name": "v1') }, 'incomplete JSON'],
    ['nothing', { kind: 'bytes', bytes: Buffer.alloc(0) }, 'with nothing'],
  ])('ends with exit code 4 and names the host when it answers with %s', async (_, fault, said) => {
    const github = await serveFailing(fault);
    expect(await failureOf(github.find(tool, '1.0.0'))).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      exitCode: 4,
      message: expect.stringMatching(`127\\.0\\.0\\.1:\\d+: .*${said}`),
    });
  });
});

describe('a cached answer', () => {
  const many = Array.from({ length: 120 }, (_, at) => ({ tag: `v1.${119 - at}.0` }));

  it('is requested with its ETag, page by page, and not sent again', async () => {
    const github = await serve([...many]);
    const first = await github.versions(tool);
    expect(await github.versions(tool)).toEqual(first);

    expect(first).toHaveLength(120);
    expect(forge.apiStatuses).toEqual([200, 200, 200, 304, 304, 304]);
  });

  it('is sent again, and used, once it has changed', async () => {
    const releases = [...many];
    const github = await serve(releases);
    await github.versions(tool);
    releases.unshift({ tag: 'v2.0.0' });

    expect((await github.versions(tool))[0]).toMatchObject({ version: '2.0.0' });
    expect(forge.apiStatuses.slice(3)).toEqual([200, 200, 200]);
  });

  it('is requested anew when the cached one is damaged', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);
    await github.find(tool, '1.0.0');
    const kept = await filesIn(join(fixture.settings.cache.rootDir, 'answers'));
    expect(kept).toHaveLength(1);
    for (const file of kept) await writeFile(file, '{"etag": "W/');

    expect(await github.find(tool, '1.0.0')).toMatchObject({ version: '1.0.0' });
    expect(forge.apiStatuses).toEqual([200, 200]);
  });

  it('with a token is not reused for requests without', async () => {
    const releases = [{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }];
    const github = await serve(releases, { isPrivate: true, token: 'good', sent: 'good' });
    expect(await github.find(tool, '1.0.0')).toMatchObject({ version: '1.0.0' });

    const stranger = createGithub({ ...fixture.settings, token: undefined });
    expect(await stranger.find(tool, '1.0.0')).toHaveProperty('lacks');
  });
});

describe('a download', () => {
  it('continues where the connection was cut', async () => {
    expect(await bytesOf(await fetchOne({ fault: { kind: 'cut', afterBytes: 100_000, times: 2 } }))).toEqual(
      exe,
    );
    expect(forge.requests.filter((line) => line.includes('/objects/'))).toHaveLength(3);
  });

  it('continues where no more byte came for too long', async () => {
    const fault: Fault = { kind: 'hang', afterBytes: 100_000, times: 1 };
    expect(await bytesOf(await fetchOne({ fault }, { idleTimeoutMs: 300 }))).toEqual(exe);
  });

  it('survives more breaks than there are attempts, as long as each brings progress', async () => {
    expect(await bytesOf(await fetchOne({ fault: { kind: 'cut', afterBytes: 40_000, times: 7 } }))).toEqual(
      exe,
    );
  });

  it('starts again if the store does not support ranges', async () => {
    const fault: Fault[] = [{ kind: 'cut', afterBytes: 100_000, times: 1 }, { kind: 'no-range' }];
    expect(await bytesOf(await fetchOne({ fault }))).toEqual(exe);
  });

  it('continues with what an earlier run left, and only requests the rest', async () => {
    const fault: Fault[] = [
      { kind: 'cut', afterBytes: 100_000, times: 1 },
      { kind: 'status', status: 500, times: 3 },
    ];
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe, fault }] }]);
    const found = (await github.find(tool, '1.0.0')) as Found;
    await failureOf(github.fetch(found, fixture.report));
    const progress: number[] = [];
    const report = {
      ...fixture.report,
      progress: (_: string, __: string, done: number) => progress.push(done),
    };
    expect(await bytesOf(await github.fetch(found, report))).toEqual(exe);
    expect(progress[0]).toBeGreaterThan(100_000);
  });

  it('starts again when what an earlier run left belongs to another file', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);
    const found = (await github.find(tool, '1.0.0')) as Found;
    const folder = await fixture.settings.cache.download({ sha256: digestBytes(exe).sha256 });
    await writeFile(join(folder, 'hello.exe.999999999.part'), Buffer.alloc(5_000, 1));
    expect(await bytesOf(await github.fetch(found, fixture.report))).toEqual(exe);
  });

  it('happens once when several tools want the same file at the same time', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);

    const fetched = await Promise.all(
      Array.from({ length: 4 }, async () =>
        github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report),
      ),
    );

    for (const one of fetched) expect(await bytesOf(one)).toEqual(exe);
    expect(forge.requests.filter((line) => line.includes('/objects/'))).toHaveLength(1);
  });

  it('is not repeated when the file is there, and is when it was changed on disk', async () => {
    const github = await serve([{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);
    const found = (await github.find(tool, '1.0.0')) as Found;
    const { assets } = await github.fetch(found, fixture.report);
    await github.fetch(found, fixture.report);
    const downloads = () => forge.requests.filter((line) => line.includes('/objects/')).length;
    expect(downloads()).toBe(1);

    await writeFile(assets[0]!.path, Buffer.alloc(exe.length, 1));
    expect(await bytesOf(await github.fetch(found, fixture.report))).toEqual(exe);
    expect(downloads()).toBe(2);
  });

  it.each<[string, Partial<ForgeAsset>]>([
    ['a page of HTML', { fault: { kind: 'html' } }],
    [
      'a page of HTML that calls itself a file',
      { fault: { kind: 'html', type: 'application/octet-stream' } },
    ],
    ['a longer file', { fault: { kind: 'bytes', bytes: Buffer.concat([exe, exe]) } }],
    ['a shorter file', { fault: { kind: 'bytes', bytes: exe.subarray(0, 1000) } }],
    [
      'another file of the same length',
      { fault: { kind: 'bytes', bytes: Buffer.concat([exe.subarray(1), exe.subarray(0, 1)]) } },
    ],
    [
      'another exe of the same length',
      { fault: { kind: 'bytes', bytes: Buffer.concat([exe.subarray(0, -1), Buffer.from('x')]) } },
    ],
    ['a file of another length than the API says', { statedBytes: exe.length + 1, digest: false }],
    ['nothing although the release lists it', { fault: { kind: 'status', status: 404 } }],
  ])('ends with exit code 3 and leaves nothing when it delivers %s', async (_, asset) => {
    expect(await failureOf(fetchOne(asset))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
    const left = await readdir(join(fixture.settings.cache.rootDir, 'downloads'), {
      recursive: true,
      withFileTypes: true,
    });
    expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['the store answers with 5xx', { kind: 'status', status: 500 }],
    ['the store forbids it', { kind: 'status', status: 403 }],
    ['nothing ever comes', { kind: 'hang' }],
  ])('ends with exit code 4 when %s', async (_, fault) => {
    const failure = await failureOf(fetchOne({ fault }, { idleTimeoutMs: 200 }));
    expect(failure).toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 4 });
  });

  it('ends with exit code 130 when it is interrupted, keeping what it has', async () => {
    const github = await serve([
      {
        tag: 'v1.0.0',
        assets: [{ name: 'hello.exe', bytes: exe, fault: { kind: 'hang', afterBytes: 1000 } }],
      },
    ]);
    const found = (await github.find(tool, '1.0.0')) as Found;
    const report = { ...fixture.report, progress: () => fixture.controller.abort() };
    expect(await failureOf(github.fetch(found, report))).toMatchObject({
      code: 'INTERRUPTED',
      exitCode: 130,
    });
    const left = await readdir(join(fixture.settings.cache.rootDir, 'downloads'), { recursive: true });
    expect(left).toContainEqual(expect.stringMatching(/hello\.exe\.\d+\.part$/));
  });
});

function rateLimit(afterS: number): Fault {
  const reset = String(Math.floor(Date.now() / 1000) + afterS);
  return {
    kind: 'status',
    status: 403,
    message: 'API rate limit exceeded',
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
  };
}
