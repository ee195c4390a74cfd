import { snappyCompress } from 'hysnappy';
import { afterEach, describe, expect, it } from 'vitest';
import type { Found } from '../../../../manifest-gen/release.ts';
import { createGithub } from '../../../../manifest-gen/sources/github/github.ts';
import { makeTinyExe } from '../../../kit/exe.ts';
import { type Forge, startForge } from '../../../kit/forge.ts';
import {
  failureOf,
  makeTool,
  makeUpstreamFixture,
  type UpstreamFixture,
} from '../../../kit/upstream-fixture.ts';

/** What the forge attests of a file, in both ways that it may be handed out. */
describe('attestations of a file', () => {
  const exe = makeTinyExe();
  const brackets = '['.repeat(20_000) + ']'.repeat(20_000);
  const [one, two] = [{ mediaType: 'one' }, { mediaType: 'two' }];
  const tool = makeTool({
    sources: [
      { kind: 'github', repository: 'acme/hello', assets: { amd64: 'hello.exe' }, attestations: true },
    ],
  });
  let forge: Forge;
  let fixture: UpstreamFixture;
  afterEach(async () => {
    await forge?.stop();
    await fixture?.stop();
  });

  async function serve(
    bundles: readonly object[],
    stored?: (bundle: object) => Buffer | number,
    token?: string,
  ) {
    forge = await startForge(token === undefined ? {} : { token });
    forge.addRepository('acme/hello', [{ tag: 'v1.0.0', assets: [{ name: 'hello.exe', bytes: exe }] }]);
    if (bundles.length > 0) forge.addAttestations(exe, bundles, stored);
    fixture = await makeUpstreamFixture({ apiUrl: forge.apiUrl, token });
    const github = createGithub(fixture.settings);
    return async () => github.fetch((await github.find(tool, '1.0.0')) as Found, fixture.report);
  }

  const inSnappy = (bundle: object): Buffer =>
    Buffer.from(snappyCompress(Buffer.from(JSON.stringify(bundle))));
  const sidecar = (...bundles: readonly unknown[]) => [
    { name: 'hello.exe.attestations.json', text: JSON.stringify(bundles) },
  ];

  it('are read when they are in the answer', async () => {
    const fetchIt = await serve([one, two]);
    expect((await fetchIt()).sidecars).toEqual(sidecar(one, two));
  });

  it('are read when the answer only links to them, and the token stays with the API', async () => {
    const fetchIt = await serve([one, two], inSnappy, 'secret');

    expect((await fetchIt()).sidecars).toEqual(sidecar(one, two));

    expect(forge.requests).toContain('store GET /attestations/1.json.sn?sig=signed');
    expect(forge.leaks).toEqual([]);
  });

  it('are read in plain JSON too', async () => {
    const fetchIt = await serve([one], (bundle) => Buffer.from(JSON.stringify(bundle)));
    expect((await fetchIt()).sidecars).toEqual(sidecar(one));
  });

  it('are read over all pages', async () => {
    const bundles = Array.from({ length: 120 }, (_, index) => ({ mediaType: `no ${index}` }));
    const fetchIt = await serve(bundles);
    expect((await fetchIt()).sidecars).toEqual(sidecar(...bundles));
  });

  it('are requested anew each time, since links expire', async () => {
    const fetchIt = await serve([one], inSnappy);
    await fetchIt();
    await fetchIt();
    expect(forge.apiStatuses.slice(-2)).toEqual([304, 200]);
  });

  it('that are missing everywhere are passed on as nothing, for the check', async () => {
    const fetchIt = await serve([{}]);
    forge.addAttestations(exe, [null as never]);
    expect((await fetchIt()).sidecars).toEqual(sidecar(null));
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a page of HTML', Buffer.from('<!DOCTYPE html>')],
    ['a snappy block that breaks off', inSnappy(one).subarray(0, 10)],
    ['a snappy block of something else', Buffer.from(snappyCompress(Buffer.from('no JSON')))],
    ['a snappy block that says it is of a gigabyte', Buffer.from([0x80, 0x80, 0x80, 0x80, 4, 0, 97])],
    ['JSON that breaks off', Buffer.from('{"mediaType":')],
    ['JSON of brackets alone', Buffer.from(`{"a":${brackets}}`)],
  ])('are refused when what is stored is %s', async (_, bytes) => {
    const fetchIt = await serve([one], () => bytes);
    const failure = await failureOf(fetchIt());
    expect(failure).toMatchObject({ code: 'REFUSED', exitCode: 3 });
    expect(failure.message).toContain('an attestation of hello.exe');
  });

  it('are refused when the answer consists of nothing but brackets', async () => {
    const fetchIt = await serve([]);
    const bytes = Buffer.from(`{"attestations":[{"bundle":${brackets}}]}`);
    forge.failApi({ kind: 'bytes', bytes }, '/attestations/');
    const failure = await failureOf(fetchIt());
    expect(failure).toMatchObject({ code: 'REFUSED', exitCode: 3 });
    expect(failure.message).toContain('attestations.0.bundle: nests too deep');
  });

  it.each<[string, Buffer | number, string]>([
    ['are gone', 404, 'it answers with status 404'],
    ['are forbidden', 403, 'it answers with status 403'],
    ['are behind a fault', 503, 'it answers with status 503'],
    ['are endless', Buffer.alloc(1024 * 1024 + 1, 0x7b), 'longer than 1048576 bytes'],
  ])('that %s end with exit code 4, and the signed address is not shown', async (_, stored, sentence) => {
    const fetchIt = await serve([one], () => stored);
    const failure = await failureOf(fetchIt());
    expect(failure).toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 4 });
    expect(failure.message).toContain(sentence);
    expect(failure.message).not.toContain('sig=');
  });
});
