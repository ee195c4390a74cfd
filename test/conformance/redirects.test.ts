import { afterEach, describe, expect, it } from 'vitest';
import { createFeed } from '../../conformance/feed.ts';
import { createJournal } from '../../conformance/journal.ts';
import { runSuite } from '../../conformance/suite.ts';
import { type Listening, listen } from '../kit/listen.ts';

let server: Listening;
afterEach(() => server.stop());

const { signal } = new AbortController();

async function startRedirecting(location: string): Promise<string> {
  server = await listen((_, response) => response.writeHead(302, { location }).end());
  return `${server.url}/nuget`;
}

describe.each(['http://[', 'http://host:99999/', '//'])('a feed that redirects to %j', (location) => {
  it('counts as unreachable', async () => {
    const url = await startRedirecting(location);
    const suite = runSuite({
      url,
      isQuick: true,
      level: 'may',
      only: [],
      packages: [],
      timeoutMs: 5_000,
      signal,
      progress: () => {},
    });
    await expect(suite.next()).rejects.toMatchObject({ code: 'UNREACHABLE', exitCode: 4 });
  });

  it('fails the dependent checks, and they name the cause', async () => {
    const base = await startRedirecting(location);
    const feed = createFeed({ base, timeoutMs: 5_000, signal, journal: createJournal() });
    await expect(feed.askFollowing(`${base}/x`)).rejects.toMatchObject({
      name: 'Violation',
      expected: 'an absolute http(s) address',
      found: location,
    });
  });
});
