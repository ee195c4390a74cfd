import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rules } from '../../../server/feed/rules.ts';
import { makeNupkg, type NupkgOptions } from '../../kit/nupkg.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

type Refusal = {
  readonly rule: string;
  readonly status: number;
  readonly says: RegExp;
  readonly nupkg: () => Buffer;
};

const broken = (rule: string, options: NupkgOptions, says: RegExp, status = 400): Refusal => ({
  rule,
  status,
  says,
  nupkg: () => makeNupkg(options),
});

/** One refusal for each rule that refuses. */
const refusals: readonly Refusal[] = [
  {
    rule: 'readable',
    status: 400,
    says: /not a readable zip.*\(rule readable\)$/,
    nupkg: () => Buffer.from('<html>'),
  },
  broken('id-form', { metadata: { id: 'a..b' } }, /"a\.\.b" as id; expected .*\(rule id-form\)$/),
  broken(
    'required-metadata',
    { metadata: { authors: undefined } },
    /no authors.*\(rule required-metadata\)$/,
  ),
  broken(
    'required-metadata',
    { metadata: { description: undefined } },
    /no description.*\(rule required-metadata\)/,
  ),
  broken(
    'valid-metadata',
    { metadata: { projectUrl: 'javascript:x' } },
    /projectUrl.*\(rule valid-metadata\)$/,
  ),
  broken('title-length', { metadata: { title: 't'.repeat(257) } }, /257 characters.*\(rule title-length\)/),
  broken(
    'description-length',
    { metadata: { description: 'd'.repeat(4001) } },
    /4001 .*\(rule description-length\)/,
  ),
  broken('client-version', { nuspec: nuspecFor('9.0') }, /9\.0 is above.*\(rule client-version\)/),
  broken('size', { files: { noise: randomBytes(300_000) } }, /larger than the 100000 bytes/, 413),
  broken('reserved-ids', { id: 'acme.x' }, /is reserved.*\(rule reserved-ids\)/, 403),
  broken('approvals', { id: 'guarded', version: '1.0.0' }, /must approve it.*\(rule approvals\)/, 403),
  broken('version-free', { id: 'first', version: '1.0' }, /already exists and cannot be modified/, 409),
];

describe('the rules of publication, when pushed to', () => {
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer({
      reservedIds: ['acme.*'],
      approvals: [{ glob: 'guard*', owners: 1 }],
      maxPackageBytes: 100_000,
    });
    key = await makeKey(server, ['push']);
    expect((await pushNupkg(server, makeNupkg({ id: 'First' }), key)).status).toBe(201);
  });
  afterAll(() => server.stop());

  it.each(refusals)('are named in a refusal: $rule', async ({ status, says, nupkg }) => {
    const answer = await pushNupkg(server, nupkg(), key);

    expect([answer.status, answer.statusText]).toEqual([status, expect.stringMatching(says)]);
  });

  it('keep the casing of the first push', async () => {
    expect((await pushNupkg(server, makeNupkg({ id: 'FIRST', version: '2.0.0' }), key)).status).toBe(201);

    const feed = await (await fetch(`${server.url}/nuget/FindPackagesById()?id='first'`)).text();

    expect([...feed.matchAll(/<d:Id>([^<]+)</g)].map(([, id]) => id)).toEqual(['First', 'First']);
  });

  it('are all tested here', () => {
    const tried = new Set([...refusals.map(({ rule }) => rule), 'first-push-casing']);
    expect(rules.map(({ name }) => name).toSorted()).toEqual([...tried].toSorted());
  });
});

function nuspecFor(minClientVersion: string): string {
  return `<package><metadata minClientVersion="${minClientVersion}"><id>sample</id><version>1.0.0</version><authors>a</authors><description>b</description></metadata></package>`;
}
