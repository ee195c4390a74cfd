import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { publishRelease } from '../../../manifest-gen/publish/publish-release.ts';
import { createFeedHttp } from '../../../manifest-gen/published/feed/http.ts';
import { createPublished } from '../../../manifest-gen/published/published.ts';
import type { OpenToolkit } from '../../../manifest-gen/toolkit.ts';
import { createHttp } from '../../../outbound/http.ts';
import { createCache } from '../../../system/cache/cache.ts';
import { useListeners } from '../../kit/listen.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeTempDir } from '../../kit/test-server.ts';

describe('an existing package, on a feed that announces no hash', () => {
  const { serve } = useListeners();
  const undo: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0)) await step();
  });

  const ours = makeNupkg({ id: 'delve', version: '1.0.0-beta.1' });

  async function publishWhere(there: Buffer): Promise<readonly string[]> {
    const dir = await makeTempDir();
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const { url } = await serve((request, response) => {
      if (request.method === 'PUT') {
        request.resume().once('end', () => response.writeHead(409).end());
        return;
      }
      if (request.url?.startsWith('/nuget/package/')) {
        response.end(there);
        return;
      }
      response.end(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>delve</title><m:properties xmlns:m="m" xmlns:d="d"><d:Version>1.0.0-beta.1</d:Version></m:properties></entry></feed>',
      );
    });
    const { signal } = new AbortController();
    const feed = createFeedHttp(createHttp({ userAgent: 'test' }), `${url}/nuget`, 'key', signal);
    const path = join(dir, 'ours.nupkg');
    await writeFile(path, ours);
    const done: string[] = [];
    const toolkit = {
      ...{ feed, done, signal, run: undefined, workDir: dir, endpoints: { isPut: true } },
      published: createPublished({ feed, cache: createCache(dir), workDir: dir }),
      report: { step: () => undefined, progress: () => undefined },
      bucket: { fetch: async () => '', version: async () => '1.0.0-beta.1' },
    } as unknown as OpenToolkit;
    const made = {
      tool: { tool: 'delve' },
      version: '1.0.0-beta.1',
      nupkg: { path, digest: digestBytes(ours) },
      manifestText: '',
      expected: [],
      payloads: [],
    };
    await publishRelease({ ...made, to: ['beta'] }, toolkit);
    return done;
  }

  it('is not sent again when it has the same bytes', async () => {
    expect(await publishWhere(ours)).toEqual([]);
  });

  it.each([
    ['another package', makeNupkg({ id: 'delve', version: '1.0.0-beta.1', files: { 'tools/x.txt': 'x' } })],
    // Of these the caller takes the next number, as of other packages: nobody holds a correction up.
    ['no package at all', Buffer.from('not a zip')],
  ])('blocks the release when it is %s', async (_, there) => {
    await expect(publishWhere(there)).rejects.toMatchObject({ code: 'FEED_CONFLICT' });
  });
});
