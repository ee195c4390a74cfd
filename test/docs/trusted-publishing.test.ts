import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasNuget, makeNuget } from '../kit/nuget.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { makeSigningKey, startOidcIssuer } from '../kit/oidc-issuer.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { versionsOn } from '../kit/published.ts';
import { makeTempDir, productDir, startTestServer } from '../kit/test-server.ts';

const push = 'choco push tool.1.0.0.nupkg --source https://feed.example/nuget --api-key "$key"\n';
const programs = ['bash', 'curl', 'jq'];

/** choco itself needs Windows; its push is NuGet's. */
it.skipIf(!hasNuget || !programs.every(hasProgram))(
  'a job exchanges its token as the guide says, and pushes with nuget.exe (needs bash, curl, jq, mono)',
  async () => {
    const dir = await makeTempDir();
    const [server, issuer] = [
      await startTestServer(),
      await startOidcIssuer(undefined, [makeSigningKey('one')]),
    ];
    const post = async (path: string, body: object): Promise<void> => {
      const headers = { 'x-nuget-apikey': server.adminKey, 'content-type': 'application/json' };
      const request = { method: 'POST', headers, body: JSON.stringify(body) };
      expect((await fetch(`${server.url}/api/v1/${path}`, request)).ok).toBe(true);
    };
    const sub = 'repo:acme/tools:ref:refs/heads/main';
    await post('issuers', { url: issuer.url, keys: issuer.keySet(), source: 'a test' });
    await post('publishers', {
      name: 'acme',
      issuer: issuer.url,
      subject: sub,
      scopes: ['push'],
      ids: ['tool'],
    });
    const page = await readFile(join(productDir, 'docs/operate/trusted-publishing.md'), 'utf8');
    const recipe = fencedBlocks(page, 'sh').find((block) => block.endsWith(push)) ?? '';
    const lines = recipe.replace(push, 'echo "$key"\n').replaceAll('https://feed.example', server.url);
    const job = { ...issuer.actionsJob({ sub }), PATH: process.env.PATH };
    await writeFile(join(dir, 'tool.1.0.0.nupkg'), makeNupkg({ id: 'tool', version: '1.0.0' }));

    const made = await run('bash', ['-e', '-o', 'pipefail', '-c', lines], { cwd: dir, env: job });
    const [mask, key = ''] = made.stdout.trim().split('\n');
    const nuget = await makeNuget(dir);
    const to = ['-Source', `${server.url}/nuget`, '-ApiKey', key];
    const pushed = await nuget('push', join(dir, 'tool.1.0.0.nupkg'), ...to);

    const versions = await versionsOn(server, 'tool');
    await Promise.all([server.stop(), issuer.stop()]);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect([mask, key]).toEqual([`::add-mask::${key}`, expect.stringMatching(/^gwt_/)]);
    expect(pushed.code, pushed.stdout + pushed.stderr).toBe(0);
    expect(versions).toEqual(['1.0.0']);
  },
  60_000,
);
