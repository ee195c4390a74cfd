import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type RunResult, run } from '../kit/programs.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

/** The commands of the operator's guide, as it has them. */
const guide = await readFile(join(productDir, 'docs/operate/README.md'), 'utf8');
const commandOf = (verb: string): string[] =>
  (new RegExp(`^npx -y pnpm@10 (${verb} .*|${verb})$`, 'm').exec(guide)?.[1] ?? '').split(' ');

describe("the commands of the operator's guide, beside a running server", () => {
  let server: TestServer;
  let dir: string;
  beforeAll(async () => {
    server = await startTestServer();
    dir = await makeTempDir();
    const delve = makeNupkg({ id: 'delve', version: '1.22.0' });
    await pushNupkg(server, delve, server.adminKey);
    await mkdir(join(dir, 'packages'));
    await writeFile(join(dir, 'packages', 'any-name.nupkg'), makeNupkg({ id: 'buf', version: '1.32.0' }));
    await fetch(`${server.url}/nuget/package/delve/1.22.0`, {
      headers: { 'User-Agent': 'NuGet Core/2' },
    }).then((answer) => answer.arrayBuffer());
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** In a folder of the test's own, as the installed program would run there. */
  function operate(verb: string): Promise<RunResult> {
    const args = commandOf(verb).map((arg) => arg.replace('http://127.0.0.1:8080', server.url));
    const env = { DATA_DIR: server.dataDir };
    return run(process.execPath, [mainJs, ...args], {
      cwd: dir,
      env,
    });
  }

  it('make a key that works, printed alone', async () => {
    const { code, stdout } = await operate('feed:keys add');

    expect(code).toBe(0);
    const answer = await pushNupkg(server, makeNupkg({ id: 'other', version: '1.0.0' }), stdout.trim());
    expect(answer.status).toBe(201);
  });

  it('show what an import would do, and change nothing', async () => {
    const { code, stdout } = await operate('feed:import');

    expect(code).toBe(0);
    expect(stdout).toContain('buf');
    expect(await server.services.catalog.find('buf', '1.32.0')).toBeUndefined();
  });

  it('back up and verify', async () => {
    const backup = await operate('feed:backup');
    const verify = await operate('feed:verify');

    expect(backup).toMatchObject({ code: 0 });
    expect((await readFile(join(dir, 'feed.tgz'))).subarray(0, 2).toString('hex')).toBe('1f8b');
    expect(verify).toMatchObject({ code: 0 });
  });

  it('show who has a package', async () => {
    await server.services.catalog.flush();

    const { code, stdout } = await operate('feed:audit');

    expect(code).toBe(0);
    expect(stdout).toMatch(/1\.22\.0.*127\.0\.0\.1.*NuGet Core\/2/);
  });

  it('find no fault for clients', async () => {
    const { code, stdout } = await operate('feed:conformance');

    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });
});
