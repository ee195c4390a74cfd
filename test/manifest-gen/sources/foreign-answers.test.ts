import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ReleaseError } from '../../../errors/release-error.ts';
import { createGithub } from '../../../manifest-gen/sources/github/github.ts';
import { fetchSignatures } from '../../../manifest-gen/sources/npm/signatures.ts';
import type { UpstreamSettings } from '../../../manifest-gen/sources/upstreams.ts';
import { openDatabase } from '../../../vulnerabilities/database.ts';
import { findVulnerabilities } from '../../../vulnerabilities/match.ts';
import { changedJson } from '../../kit/changed-json.ts';
import { type Listening, listen } from '../../kit/listen.ts';
import { makeTool, makeUpstreamFixture, type UpstreamFixture } from '../../kit/upstream-fixture.ts';
import { makeVuln } from '../../kit/vulndb.ts';

/** Places that answer with JSON of nearly the right shape: what comes of it is a value, or an error with a code. */
let server: Listening;
let fixture: UpstreamFixture;
let settings: UpstreamSettings;
let answer: (path: string) => string | Buffer;

beforeAll(async () => {
  server = await listen((request, response) => response.end(answer(request.url ?? '')));
  fixture = await makeUpstreamFixture({ apiUrl: server.url });
  settings = { ...fixture.settings, retryPolicy: { ...fixture.settings.retryPolicy, attempts: 1 } };
});
afterAll(async () => {
  await server.stop();
  await fixture.stop();
});

async function coded(work: () => Promise<unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof ReleaseError)) throw error;
  });
}

const fewRuns = { numRuns: 100 };

describe('JSON of another shape', () => {
  it('from a forge', async () => {
    const source = { kind: 'github', repository: 'acme/hello', assets: { amd64: 'hello.zip' } };
    const tool = makeTool({ sources: [{ ...source, attestations: true }] });
    const github = createGithub(settings);
    const asset = {
      id: 1,
      name: 'hello.zip',
      url: `${server.url}/assets/1`,
      browser_download_url: `${server.url}/hello.zip`,
      state: 'uploaded',
      size: 4,
      digest: null,
      updated_at: '2026-01-01T00:00:00Z',
    };
    const release = {
      tag_name: 'v1.2.3',
      draft: false,
      prerelease: false,
      published_at: '2026-01-01T00:00:00Z',
      body: 'Notes',
      assets: [asset],
    };
    const attestations = [{ bundle: { a: 1 } }, { bundle: null, bundle_url: `${server.url}/stored` }];
    const answers = fc.record({
      list: changedJson([release, { ...release, tag_name: 'v1.2.4' }]),
      release: changedJson(release),
      attestations: changedJson({ attestations }),
      stored: changedJson({ a: { b: 1 } }),
    });
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        answer = (path) => {
          if (path.includes('/releases?')) return given.list;
          if (path.includes('/releases/tags/')) return given.release;
          if (path.includes('/attestations/')) return given.attestations;
          return path === '/stored' ? given.stored : Buffer.from('PK\u0003\u0004');
        };
        await coded(() => github.versions(tool));
        await coded(async () => {
          const found = await github.find(tool, '1.2.3');
          if (!('lacks' in found)) await github.fetch(found, fixture.report);
        });
      }),
      fewRuns,
    );
  });

  it('from a registry that signs', async () => {
    const keys = changedJson({ keys: [{ keyid: 'SHA256:x', key: 'AAAA', expires: null }] });
    const bundles = changedJson({ attestations: [{ bundle: { a: 1 } }] });
    const dist = { integrity: '', signatures: [], attestations: { url: '' } };
    await fc.assert(
      fc.asyncProperty(keys, bundles, async (key, bundle) => {
        answer = (path) => (path.endsWith('/keys') ? key : bundle);
        const access = { ...settings, registry: server.url };
        const about = { tool: 'hello', version: '1.2.3', kind: 'npm' } as const;
        await coded(() =>
          fetchSignatures(access, { spec: '@a/b@1.2.3', dist, published: undefined }, 'x.tgz', about),
        );
      }),
      fewRuns,
    );
  });

  it('from a vulnerability database', async () => {
    const id = 'GO-2026-0001';
    const path = 'example.test/x';
    const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }];
    const files = fc.record({
      'index/db': changedJson({ modified: '2026-01-01T00:00:00Z' }),
      'index/modules': changedJson([{ path, vulns: [{ id, modified: '', fixed: '2.0.0' }] }]),
      [`ID/${id}`]: changedJson(makeVuln(id, path, '2.0.0', { severity })),
    });
    const modules = [{ path, version: 'v1.0.0' }];
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const texts = new Map(Object.entries(given));
        const read = async (endpoint: string) => texts.get(endpoint);
        await coded(async () => {
          const database = await openDatabase({ url: 'file:///x', read });
          const entries = await database.entriesFor(modules);
          findVulnerabilities({ modules, unknown: [], goos: '', goarch: '' }, entries, new Date());
        });
      }),
      fewRuns,
    );
  });
});
