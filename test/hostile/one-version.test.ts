import { describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg, startTestServer } from '../kit/test-server.ts';

describe('sixteen parallel pushes of one version', () => {
  it.each(['/nuget/', '/api/v2/package/'])(
    "get one 201 and fifteen 409, and the stored bytes are the winner's: %s",
    async (path) => {
      const server = await startTestServer();
      const nupkgs = Array.from({ length: 16 }, (_, n) =>
        // Every spelling of one version, in every casing of one id (spec nuget-v2 10.3, 12.5).
        makeNupkg({
          id: n % 2 === 0 ? 'once' : 'Once',
          version: ['1.0.0', '1.0', '1.0.0.0', '01.0.0+meta'][n % 4] ?? '',
          files: { 'tools/n.txt': String(n).repeat(10_000) },
        }),
      );

      const answers = await Promise.all(
        nupkgs.map((nupkg) => pushNupkg(server, nupkg, server.adminKey, path)),
      );

      const statuses = answers.map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([201, ...Array<number>(15).fill(409)]);
      const refused = answers.find(({ status }) => status === 409);
      expect(refused?.statusText).toContain('already exists and cannot be modified');
      const download = await fetch(`${server.url}/nuget/package/once/1.0.0`);
      const winner = nupkgs[statuses.indexOf(201)];
      expect(winner?.equals(Buffer.from(await download.arrayBuffer()))).toBe(true);
      await server.stop();
    },
  );
});
