import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Generator, makeGenerator } from '../../kit/generator.ts';
import { listen } from '../../kit/listen.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

it('is interrupted, not unreachable, when Ctrl-C comes before it has identified itself', async () => {
  const interruption = new AbortController();
  const silent = await listen(() => interruption.abort());
  const generator = await makeGenerator({ FEED_URL: `${silent.url}/nuget` });
  try {
    const result = await generator.run('release:status', ['delve'], { signal: interruption.signal });

    expect(result).toMatchObject({ exitCode: 130, stderr: 'Interrupted: Nothing was published.\n' });
  } finally {
    await generator.stop();
    await silent.stop();
  }
});

/** READ_AUTH=all: even who the server is, is told only with a key (contract section 2). */
describe('a server that answers nothing without a key', () => {
  let server: TestServer;
  let generator: Generator;

  beforeEach(async () => {
    server = await startTestServer({ readAuth: 'all' });
    generator = await makeGenerator({ FEED_URL: `${server.url}/nuget` });
  });
  afterEach(async () => {
    await generator.stop();
    await server.stop();
  });

  it.each([
    ['no key', '', 'needs an API key'],
    ['a wrong key', 'wrong-key', 'API key is invalid'],
  ])("is not mistaken for another maker's with %s", async (_, key, sentence) => {
    const { exitCode, stderr } = await generator.run('release:status', ['delve'], {
      env: { FEED_API_KEY: key },
    });

    expect(exitCode).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('BUCKET_URL');
  });

  it('answers whoever may read', async () => {
    const key = await makeKey(server, ['read']);

    const { exitCode, stdout, stderr } = await generator.run('release:status', ['delve'], {
      env: { FEED_API_KEY: key },
    });

    // the feed has answered; that no source does is what the exit code tells
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^delve +unknown +- +-/m);
    expect(stderr).not.toContain('API key');
  });
});
