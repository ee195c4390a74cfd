import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hookEnvironment, installHooks } from '../../../server/bucket/hook.ts';
import {
  type CheckPush,
  type HookRequest,
  type HookServer,
  openHookServer,
} from '../../../server/bucket/hook-server.ts';
import { hasProgram, run } from '../../kit/programs.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const updates = `${'a'.repeat(40)} ${'b'.repeat(40)} refs/heads/main\n`;
/** What git says about its folders, with what shells and JSON would read as their own. */
const places = {
  GIT_OBJECT_DIRECTORY: './objects/$(id) "a" \\n ü',
  GIT_ALTERNATE_OBJECT_DIRECTORIES: "/b:'c d'",
  GIT_QUARANTINE_PATH: '',
};
const cannot = 'The server could not check this push; nothing was changed. Push again.\n';

const programs = [
  // No Node is needed then.
  { by: 'bash (needs bash)', env: { GO_WIN_TOOLS_NODE: '/nowhere/node' }, isThere: hasProgram('bash') },
  { by: 'Node, where there is no bash', env: { PATH: '/nowhere' }, isThere: true },
];

describe.skipIf(process.platform === 'win32')('the hook pre-receive', () => {
  let dir: string;
  let hookServer: HookServer;
  const asked: HookRequest[] = [];

  beforeEach(async () => {
    dir = await makeTempDir();
    await mkdir(join(dir, 'hooks'));
    await installHooks(dir);
    hookServer = await openHookServer();
    asked.length = 0;
  });
  afterEach(async () => {
    await hookServer.close();
    await rm(dir, { recursive: true });
  });

  async function push(token: string, env: Readonly<Record<string, string>>) {
    const given = hookEnvironment(dir, hookServer.port, token, join(dir, 'accepted'));
    const options = { env: { ...given, ...places, ...env }, input: updates };
    const { code, stdout, stderr } = await run(join(dir, 'hooks', 'pre-receive'), [], options);
    return { code, said: stdout + stderr };
  }
  const issue = (isAccepted: boolean, ...lines: string[]): string => {
    const check: CheckPush = async (question) => {
      asked.push(question);
      return { isAccepted, lines };
    };
    return hookServer.issue(check).token;
  };

  describe.each(programs)('asks by $by', ({ env, isThere }) => {
    it.skipIf(!isThere)('what the server accepts', async () => {
      const token = issue(true);

      expect(await push(token, env)).toEqual({ code: 0, said: '' });
      expect(asked).toEqual([
        {
          token,
          objectDirectory: places.GIT_OBJECT_DIRECTORY,
          alternates: places.GIT_ALTERNATE_OBJECT_DIRECTORIES,
          quarantine: '',
          updates: updates.trim(),
        },
      ]);
    });

    it.skipIf(!isThere)('what the server refuses, and prints why', async () => {
      const said = await push(issue(false, 'first: -n %s \\t', '  second'), env);

      expect(said).toEqual({ code: 1, said: 'first: -n %s \\t\n  second\n' });
    });

    it.skipIf(!isThere)('a server that does not know it, and refuses', async () => {
      issue(true);

      expect(await push('0'.repeat(64), env)).toEqual({ code: 1, said: cannot });
      expect(asked).toEqual([]);
    });

    it.skipIf(!isThere)('a server that cannot judge, and refuses', async () => {
      const { token } = hookServer.issue(async () => {
        throw new Error('no answer');
      });

      expect(await push(token, env)).toEqual({ code: 1, said: cannot });
    });
  });

  it('refuses by Node when no server listens', async () => {
    const token = issue(true);
    await hookServer.close();
    const said = await push(token, { PATH: '/nowhere' });
    hookServer = await openHookServer();

    expect(said).toEqual({ code: 1, said: cannot });
  });

  it.skipIf(!hasProgram('bash'))('leaves it to Node when bash finds no server (needs bash)', async () => {
    const token = issue(true);
    const node = join(dir, 'node');
    await writeFile(node, '#!/bin/sh\necho "asked by $1"\nexit 3\n', { mode: 0o755 });
    await hookServer.close();
    const said = await push(token, { GO_WIN_TOOLS_NODE: node });
    hookServer = await openHookServer();

    expect(said).toEqual({ code: 3, said: `asked by ${join(dir, 'hooks', 'pre-receive.mjs')}\n` });
  });

  it('refuses a push past the server', async () => {
    const { code, said } = await push('', { GO_WIN_TOOLS_GATE: '' });

    expect(code).toBe(1);
    expect(said).toContain('This bucket takes pushes only through its server');
  });
});
