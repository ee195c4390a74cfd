import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { hasPwsh, runSteps, type Steps } from '../kit/psresourceget.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

// PowerShellGet 2 makes tags of the commands, Publish-PSResource does not (docs/clients/powershell.md).
const manifest = `@{
  RootModule = 'Our.Greeting.psm1'
  ModuleVersion = '1.2.0'
  GUID = '7d7a34f6-4f3f-4c0e-9f2c-2f1b0c5f5a11'
  Author = 'Our team'
  Description = 'Greets people.'
  FunctionsToExport = @('Get-Greeting')
  PrivateData = @{ PSData = @{ Tags = @('Polite', 'PSCommand_Get-Greeting') } }
}`;
const code = 'function Get-Greeting([string] $Name) { "Good morning, $Name." }';

const shown = '| ForEach-Object { "$($_.Name) $($_.Version)$($_.Prerelease)" }';
const steps = {
  publish: 'Publish-PSResource -Path ./Our.Greeting @with -ApiKey $env:PUSH_KEY',
  publishAgain: 'Publish-PSResource -Path ./Our.Greeting @with -ApiKey $env:PUSH_KEY',
  name: `Find-PSResource our.greeting @with ${shown}`,
  range: `Find-PSResource Our.Greeting -Version '[1.0,2.0)' @with ${shown}`,
  noSuchName: `Find-PSResource Our.Nothing @with ${shown}`,
  wildcard: `Find-PSResource Our.* @with ${shown}`,
  tag: `Find-PSResource -Tag Polite @with ${shown}`,
  command: `(Find-PSResource -CommandName Get-Greeting @with).ParentResource ${shown}`,
  dotted: `Find-PSResource Our.Dotted -Prerelease @with ${shown}`,
  install: `Install-PSResource Our.Greeting @with -Reinstall -PassThru ${shown}`,
  function: 'Import-Module Our.Greeting; Get-Greeting -Name Ada',
};

const greeting = { output: ['Our.Greeting 1.2.0'] };
const refusal = (said: string): object => ({ output: [], error: expect.stringContaining(said) });

describe.skipIf(!hasPwsh).each([
  { apiVersion: 'v2', path: '/api/v2' },
  { apiVersion: 'v3', path: '/v3/index.json' },
  { apiVersion: 'v2', path: '/api/v2', readAuth: 'feed' },
  { apiVersion: 'v3', path: '/v3/index.json', readAuth: 'feed' },
  { apiVersion: 'v3', path: '/v3/index.json', readAuth: 'all' },
] as const)(
  'PSResourceGet over $apiVersion, READ_AUTH $readAuth (needs pwsh)',
  ({ apiVersion, path, ...settings }) => {
    let server: TestServer;
    let told: Steps;

    beforeAll(async () => {
      server = await startTestServer(settings);
      // As a pipeline may push it; PowerShell's own commands refuse such a version.
      const dotted = makeNupkg({ id: 'Our.Dotted', version: '1.0.0-beta.1', metadata: { tags: 'PSModule' } });
      expect((await pushNupkg(server, dotted, server.adminKey)).status).toBe(201);
      const dir = await makeTempDir();
      await mkdir(join(dir, 'Our.Greeting'));
      await writeFile(join(dir, 'Our.Greeting', 'Our.Greeting.psd1'), manifest);
      await writeFile(join(dir, 'Our.Greeting', 'Our.Greeting.psm1'), code);
      const pushKey = await makeKey(server, ['push']);
      const readKey = settings.readAuth && (await makeKey(server, ['read']));
      told = await runSteps(dir, { uri: `${server.url}${path}`, apiVersion, pushKey, readKey }, steps);
    });

    afterAll(() => server?.stop());

    it('publishes a module once', () => {
      expect(told.publish).toEqual({ output: [] });
      expect(told.publishAgain).toEqual(refusal('already exists'));
    });

    it('finds it by name and by range, and reports when there is none', () => {
      expect(told.name).toEqual(greeting);
      expect(told.range).toEqual(greeting);
      expect(told.noSuchName).toEqual(refusal("'Our.Nothing' could not be found"));
    });

    it('installs it, and its function runs', () => {
      expect(told.install).toEqual(greeting);
      expect(told.function).toEqual({ output: ['Good morning, Ada.'] });
    });

    if (apiVersion === 'v2') {
      it('finds it by wildcard, by tag and by command', () => {
        expect(told.wildcard).toEqual(greeting);
        expect(told.tag).toEqual(greeting);
        expect(told.command).toEqual(greeting);
      });

      // docs/clients/powershell.md: the client says no semVerLevel.
      it('does not see a SemVer 2 version, a limit of the client', () => {
        expect(told.dotted).toEqual(refusal("'Our.Dotted' could not be found"));
      });
    } else {
      // docs/clients/powershell.md: the client asks nothing at all.
      it('finds nothing by wildcard, tag or command, a limit of the client', () => {
        for (const asked of [told.wildcard, told.tag, told.command]) {
          expect(asked).toEqual(refusal("is not supported for the V3 server protocol repository 'feed'"));
        }
      });

      it('sees SemVer 2 versions', () => {
        expect(told.dotted).toEqual({ output: ['Our.Dotted 1.0.0beta.1'] });
      });
    }
  },
);
