import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { makeKey, productDir, startTestServer, type TestServer } from '../../kit/test-server.ts';

/** A use of each parameter, and what its second run ends with; nothing before it has been set up but by the one above it. */
const uses: readonly (readonly [parameters: string, code: number])[] = [
  ['-WhatIf', 0],
  ['-Check', 1],
  ['-Part chocolatey', 0],
  ['-Part scoop', 0],
  ['-Part all', 0],
  ['-Beta', 0],
  ['', 0],
  ['-Check', 0],
  ['-NonInteractive', 0],
  ['-LogFile "$HOME/install.log"', 0],
  ['-DisableCommunity', 0],
  ['-Shims', 0],
  ['-Shims -Beta', 0],
  ['-ShimsDir "$HOME/my shims"', 0],
  ['-Part choco', 2],
  ['-ShimsDir "$HOME/nowhere"', 2],
  ['word', 2],
  ['-ClientId desk-7', 0],
  ["-ClientId ''", 0],
  ['-Remove', 0],
  ['-Remove -Check', 0],
];
const keyUses: typeof uses = [['-KeyFile "$HOME/key.txt"', 0]];

describe('the parameters of install.ps1', () => {
  it('are all in the list of uses', async () => {
    const begin = await readFile(join(productDir, 'server/install/script/begin.ps1'), 'utf8');
    const [declared = ''] = begin.split('# All in a scope of its own');
    const names = [...declared.matchAll(/^ {2}\[(?:string|switch)\] \$(\w+)/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(names.length).toBeGreaterThan(10);
    const used = [...uses, ...keyUses].map(([parameters]) => parameters).join(' ');
    expect(names.filter((name) => !used.includes(`-${name}`))).toEqual([]);
    const end = await readFile(join(productDir, 'server/install/script/end.ps1'), 'utf8');
    const [, listed = ''] = /^\$Parameters = '(.*)'/m.exec(end) ?? [];
    expect(listed.split(', ').toSorted()).toEqual(
      [...names, 'WhatIf', 'Confirm'].map((name) => `-${name}`).toSorted(),
    );
  });
});

describe.skipIf(!canFakeMachine)('each parameter of install.ps1, twice (needs pwsh)', () => {
  let server: TestServer;
  let machine: InstallMachine;
  beforeEach(async () => {
    machine = await makeInstallMachine();
  });
  afterEach(async () => {
    await machine.remove();
    await server.stop();
  });

  it.each([undefined, 'feed', 'all'] as const)('with READ_AUTH=%s', async (readAuth) => {
    server = await startTestServer(readAuth === undefined ? {} : { readAuth });
    await machine.serve({ publicUrl: server.url, readAuth });
    const key = readAuth === undefined ? null : await makeKey(server, ['read']);
    if (key !== null) await writeFile(join(machine.dir, 'key.txt'), `${key}\n`);
    await mkdir(join(machine.dir, 'my shims'));
    const all = key === null ? uses : [...keyUses, ['-Remove', 0] as const, ...uses];
    const twice = all.flatMap((use) => [use, use]);

    const runs = await machine.runAll(
      twice.map(([parameters]) => ({
        command: `Add-Content -LiteralPath $env:FAKE_LOG -Value '== ${parameters.replaceAll("'", "''")}'; install ${parameters}`,
        env: { GO_WIN_TOOLS_KEY: parameters.includes('-KeyFile') ? null : key },
      })),
    );
    const asked = await machine.asked();

    const seen = runs.map(({ code, said }, n) => ({ parameters: twice[n]?.[0], code, said }));
    const wrong = seen.filter(({ code }, n) => n % 2 === 1 && code !== twice[n]?.[1]);
    expect(wrong).toEqual([]);
    // the first run of a pair may set something up, the second finds all done
    const changes = asked.filter((line) =>
      /^==|source (add|remove|enable|disable)|bucket (add|rm)/.test(line),
    );
    const second = changes
      .join('\n')
      .split(/^== /m)
      .slice(1)
      .filter((_, n) => n % 2 === 1);
    expect(second).toHaveLength(all.length);
    expect(changes).toContain(`choco source add --name=go-win-tools --source=${server.url}/nuget --yes`);
    expect(second.flatMap((text) => text.trim().split('\n').slice(1))).toEqual([]);
    if (key !== null) {
      expect(asked.join('\n')).not.toContain(key);
      expect(runs.map(({ said }) => said).join('\n')).not.toContain(key);
      expect(await readFile(join(machine.dir, 'install.log'), 'utf8')).not.toContain(key);
    }
  });
});
