import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import type { Found } from '../../manifest-gen/release.ts';
import type { Upstream } from '../../manifest-gen/sources/upstream.ts';
import type { Tool } from '../../manifest-gen/tool-file/tools.ts';
import type { Report } from '../../system/report.ts';
import { failureOf } from '../kit/upstream-fixture.ts';

export type UpstreamFixture = {
  readonly upstream: Upstream;
  readonly tool: Tool;
  readonly report: Report;
  /** The same place, where nobody answers. */
  readonly unreachable: Upstream;
  /** The same, after Ctrl-C. */
  readonly interrupted: Upstream;
  stop(): Promise<void>;
};

/**
 * What every place that releases come from does. It has the tool in 1.0.0 and 1.10.0 (amd64 and arm64), 1.9.0 (amd64
 * alone, where a source can have that), and the prerelease 2.0.0-rc1.
 */
export function describeUpstream(name: string, create: () => Promise<UpstreamFixture>): void {
  describe(`${name} as an upstream`, () => {
    let fixture: UpstreamFixture;
    beforeAll(async () => {
      fixture = await create();
    });
    afterAll(() => fixture?.stop());

    const find = async (version: string): Promise<Found> => {
      const found = await fixture.upstream.find(fixture.tool, version);
      if ('lacks' in found) throw new Error(found.lacks);
      return found;
    };

    it('lists stable versions only, newest first by number', async () => {
      const versions = await fixture.upstream.versions(fixture.tool);
      expect(versions.map(({ version }) => version)).toEqual(['1.10.0', '1.9.0', '1.0.0']);
    });

    it('finds a version and says what it would fetch', async () => {
      const found = await find('1.0.0');
      expect(found).toMatchObject({
        version: '1.0.0',
        kind: fixture.upstream.kind,
        offers: [{ architecture: 'amd64' }, { architecture: 'arm64' }],
      });
      expect(found.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    });

    it('names the upstream and never the address that was asked', async () => {
      expect((await find('1.0.0')).upstream).not.toMatch(/127\.0\.0\.1|:\/\//);
    });

    it('gives one version the same fingerprint each time and another version another', async () => {
      const [first, again, other] = [await find('1.0.0'), await find('1.0.0'), await find('1.10.0')];
      expect(again.fingerprint).toBe(first.fingerprint);
      expect(other.fingerprint).not.toBe(first.fingerprint);
    });

    it('returns a value when it does not have a version', async () => {
      const lacking = await fixture.upstream.find(fixture.tool, '7.7.7');
      expect(lacking).toEqual({ kind: fixture.upstream.kind, lacks: expect.stringContaining('7.7.7') });
    });

    it('fetches files with the digests that it announced', async () => {
      const { assets } = await fixture.upstream.fetch(await find('1.0.0'), fixture.report);
      expect(assets.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm64']);
      for (const { path, digest } of assets) expect(digestBytes(await readFile(path))).toEqual(digest);
    });

    it('fetches the same bytes again', async () => {
      const found = await find('1.0.0');
      const first = await fixture.upstream.fetch(found, fixture.report);
      const again = await fixture.upstream.fetch(found, fixture.report);
      expect(again.assets.map(({ digest }) => digest)).toEqual(first.assets.map(({ digest }) => digest));
    });

    it('ends with exit code 4 when it cannot be reached', async () => {
      const wanted = { code: 'SOURCE_UNREACHABLE', exitCode: 4 };
      expect(await failureOf(fixture.unreachable.find(fixture.tool, '1.0.0'))).toMatchObject(wanted);
      expect(await failureOf(fixture.unreachable.versions(fixture.tool))).toMatchObject(wanted);
    });

    it('ends with exit code 130 when it is interrupted', async () => {
      const failure = await failureOf(fixture.interrupted.find(fixture.tool, '1.0.0'));
      expect(failure).toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
    });
  });
}
