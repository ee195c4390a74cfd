import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { delveRelease } from '../kit/generator.ts';
import { listen } from '../kit/listen.ts';
import { pathWithNpx } from '../kit/page-commands.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { type SmallStart, startSmall } from '../kit/small-start.ts';
import { productDir } from '../kit/test-server.ts';

/** The page's own commands, one block after the other, with its settings; only the addresses are those of this machine. */
describe('docs/release/start-small.md', () => {
  let small: SmallStart;
  // a zip holds the time of its making, so there is one
  const release = delveRelease('1.26.3');

  beforeEach(async () => {
    small = await startSmall([release]);
  });
  afterEach(() => small.stop());

  it.skipIf(!hasProgram('sh'))(
    'brings a tool to beta and main by its commands (needs sh)',
    async () => {
      const { dir, feed, files, generator } = small;
      await rm(join(dir, 'bucket.git'), { recursive: true });
      await mkdir(join(dir, 'www'));
      const page = await readFile(join(productDir, 'docs', 'release', 'start-small.md'), 'utf8');
      const text = page.replaceAll('/srv/', `${dir}/`);
      const [settings = ''] = [...text.matchAll(/^```\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
      const here = settings
        .replace('https://nuget.example/nuget', feed.feedUrl)
        .replace('https://files.example', files.url)
        .replace('...', 'its-key');
      const env = {
        ...generator.env,
        PATH: await pathWithNpx(join(dir, 'programs')),
        ...Object.fromEntries([...here.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])),
      };

      for (const [, commands = ''] of text.matchAll(/^```sh\n([\s\S]*?)^```/gm)) {
        const result = await run('sh', ['-e', '-c', commands], { cwd: productDir, env });
        expect(result.code, commands + result.stdout + result.stderr).toBe(0);
      }

      expect(feed.packages.map(({ version }) => version)).toEqual(['1.26.3-beta.1', '1.26.3']);
      expect(small.manifest('main')).toEqual(small.manifest('beta'));
      expect(small.manifest('main').architecture['64bit']?.url).toBe(
        `${files.url}/delve/1.26.3/dlv-windows-amd64.exe#/dlv.exe`,
      );
    },
    5 * 60_000,
  );

  it.each([
    ['answers at once and hangs up', 501, true],
    ['reads all of it first', 405, false],
    ['knows no such file', 404, false],
  ])('is right about a server that accepts no uploads and %s', async (_, status, isEarly) => {
    const place = await listen((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      if (!isEarly) return void request.resume().on('end', () => response.writeHead(status).end());
      response.writeHead(status, { connection: 'close' }).end();
      request.socket.destroySoon();
    });
    const env = { PAYLOAD_URL: `${place.url}/{tool}/{version}/{file}`, PAYLOAD_PUT: 'true' };

    const result = await small.generator.run('release:beta', ['delve'], { env });
    await place.stop();

    expect(result).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${place.url} does not accept uploads (${status} to a PUT).`),
    });
    expect(result.stderr).toContain('Set PAYLOAD_PUT=false');
    expect(small.branches()).toEqual([]);
  });
});
