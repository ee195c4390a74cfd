import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNupkg } from '../../formats/nupkg.ts';
import { planShims } from '../../shims/plan.ts';
import { writeShims } from '../../shims/write-shims.ts';
import { cli } from '../kit/cli.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir, startTestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';
import { useDisk } from '../kit/use-disk.ts';
import { hasWine } from '../kit/wine.ts';
import { templates } from '../shims/fixture.ts';
import { type Ended, startWindows, type Windows, windowsPath } from '../shims/windows.ts';

useDisk();

const tools = [
  { tool: 'buf', command: 'buf', version: '1.35.1', source: 'npm', ask: '--version', says: '1.35.1' },
  {
    tool: 'delve',
    command: 'dlv',
    version: '1.22.0',
    source: 'go-module',
    ask: 'version',
    says: 'Version: 1.22.0',
  },
] as const;
/** The one is in Scoop, the other in Chocolatey. */
const places = {
  buf: 'profile/scoop/apps/buf/current/buf.exe',
  dlv: 'data/chocolatey/lib/delve/tools/dlv.exe',
} as const;
const minute = 60_000;

/** The programs that people get, from a feed: buf in Scoop, delve in Chocolatey, and each form of their shims. */
describe.skipIf(!hasWine || !hasProgram('go'))(
  'the real tools behind shims (need wine, mingw-w64, go and its proxy)',
  () => {
    let dir: string;
    let windows: Windows;
    let ended: ReadonlyMap<string, Ended>;
    let files: string;

    beforeAll(async () => {
      dir = await makeTempDir();
      await mkdir(join(dir, 'cwd'));
      windows = await startWindows(dir, join(dir, 'cwd'));
      files = join(windows.drive, 'v');
      const server = await startTestServer({ maxPackageBytes: 1024 ** 3 });
      try {
        const env = {
          FEED_URL: `${server.url}/nuget`,
          FEED_API_KEY: server.adminKey,
          CACHE_DIR: testCacheDir,
          GITHUB_API_URL: nowhere,
        };
        for (const { tool, command, version, source } of tools) {
          const result = await cli(env, 'release:beta', `${tool}@${version}`, '--source', source);
          if (result.code !== 0) throw new Error(result.stderr);
          const file = join(files, places[command]);
          await mkdir(dirname(file), { recursive: true });
          await writeFile(
            file,
            await exeOf(`${server.url}/nuget/package/${tool}/${version}-beta.1`, `${command}.exe`),
          );
        }
      } finally {
        await server.stop();
      }
      const plans = planShims(
        tools.map((tool) => ({ ...tool, packageId: undefined })),
        {},
      );
      await writeShims(join(files, 'shims'), plans, templates, windows.launcher);
      const env = {
        USERPROFILE: windowsPath('v/profile'),
        ProgramData: windowsPath('v/data'),
        PATH: 'C:\\windows\\system32',
      };
      ended = await windows.runAll(
        tools.flatMap(({ command, ask }) => {
          const shim = windowsPath('v/shims', command);
          return [
            { name: `${command}.exe`, env, line: `"${shim}.exe" ${ask}` },
            { name: `${command}.cmd`, env, line: `cmd /d /s /c ""${shim}.cmd" ${ask}"` },
          ];
        }),
      );
    }, 15 * minute);

    afterAll(async () => {
      await windows?.wine.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    async function exeOf(address: string, name: string): Promise<Buffer> {
      const path = join(dir, `${name}.nupkg`);
      await writeFile(path, Buffer.from(await (await fetch(address)).arrayBuffer()));
      const nupkg = await openNupkg(path);
      try {
        return await nupkg.readEntry(`tools/${name}`, 1e9);
      } finally {
        await nupkg.close();
      }
    }

    it.each(
      tools.flatMap(({ command, says }) =>
        ['exe', 'cmd'].map((form) => ({ name: `${command}.${form}`, says })),
      ),
    )('$name says its version', ({ name, says }) => {
      const { code, stdout, stderr } = ended.get(name)!;

      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.toString()).toContain(says);
    });

    it.skipIf(!hasProgram('dash')).each(tools)(
      '$command, the sh form, says its version (needs dash)',
      async ({ command, ask, says }) => {
        // Git Bash starts a Windows program by itself; here a stand-in in its place hands the real one to wine
        const home = join(dir, 'linux');
        const real = join(files, places[command]);
        const standIn = join(home, places[command]);
        await mkdir(dirname(standIn), { recursive: true });
        await writeFile(standIn, `#!/bin/sh\nexec wine '${real}' "$@"\n`, { mode: 0o755 });
        const env = {
          USERPROFILE: join(home, 'profile'),
          ProgramData: join(home, 'data'),
          WINEPREFIX: join(dir, 'wine'),
          WINEDEBUG: '-all',
        };

        const { code, stdout } = await run('dash', [join(files, 'shims', command), ask], { env });

        expect(code).toBe(0);
        expect(stdout).toContain(says);
      },
      minute,
    );
  },
);
