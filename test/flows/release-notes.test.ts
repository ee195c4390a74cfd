import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readNuspec } from '../../formats/nuspec.ts';
import type { Forge } from '../kit/forge.ts';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import type { TestServer } from '../kit/test-server.ts';

const link = 'https://github.com/go-delve/delve/releases/tag/v1.26.3';
const first = '### Fixed\r\n\r\n- a <crash> & more\u0007\r\n';
const carried = `### Fixed\n\n- a <crash> & more\n\n${link}`;

describe("upstream's release notes", () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let forge: Forge;
  let generator: Generator;
  let upstream: { body: string };

  beforeEach(async () => {
    const release = { ...delveRelease('1.26.3'), body: first };
    upstream = release;
    fixture = await startReleaseFixture({ repositories: { 'go-delve/delve': [release] } });
    ({ server, forge, generator } = fixture);
  });
  afterEach(() => fixture.stop());

  it('are in a beta as they were when it was made, and in the stable package as they are at promotion', async () => {
    await succeed('release:beta', 'delve');
    expect(await notesOf('1.26.3-beta.1')).toBe(carried);

    upstream.body = 'These notes were rewritten.';
    expect(await succeed('release:beta', 'delve')).toContain('nothing to do');
    await succeed('release:promote', 'delve');

    expect(await notesOf('1.26.3-beta.1')).toBe(carried);
    expect(await notesOf('1.26.3')).toBe(`These notes were rewritten.\n\n${link}`);
  });

  it("are compared with upstream's current ones, and upstream's edit is not a fault", async () => {
    await succeed('release:beta', 'delve');
    const same = await succeed('release:verify', 'delve', '--channel', 'beta');
    upstream.body = 'These notes were rewritten.';
    const edited = await succeed('release:verify', 'delve', '--channel', 'beta');

    expect(same).toMatch(/passed +notes .*The package has upstream's release notes/);
    expect(same).toMatch(/passed +package +delve\.nuspec/);
    expect(edited).toMatch(/skipped +notes /);
    expect(edited).toMatch(/passed +package +delve\.nuspec/);
  });

  it('come along in a bundle', async () => {
    const bundle = join(generator.dir, 'tools.bundle');
    const made = await succeed('bundle:create', 'delve', '--out', bundle);
    const [, key = ''] = /BUNDLE_KEY=(\S+)/.exec(made) ?? [];
    await forge.stop();

    const taken = await generator.run('release:beta', ['--from', bundle], { env: { BUNDLE_KEY: key } });

    expect(taken.exitCode, taken.stderr).toBe(0);
    expect(await notesOf('1.26.3-beta.1')).toBe(carried);
  });

  it('are left out when the licence does not allow copying them', async () => {
    const tools = await ownDelve('GPL-3.0-only');

    const { exitCode, stderr } = await generator.run('release:beta', ['delve'], {
      env: { TOOLS_DIR: tools },
    });

    expect(exitCode, stderr).toBe(0);
    expect(await notesOf('1.26.3-beta.1')).toBe('See the project.');
  });

  async function succeed(verb: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await generator.run(verb, args);
    expect(exitCode, stderr).toBe(0);
    return stdout + stderr;
  }

  async function notesOf(version: string): Promise<string | undefined> {
    const answer = await fetch(`${server.url}/nuget/package/delve/${version}`);
    const zip = new AdmZip(Buffer.from(await answer.arrayBuffer()));
    return (await readNuspec(zip.readAsText('delve.nuspec'))).releaseNotes;
  }

  async function ownDelve(license: string): Promise<string> {
    await writeFile(
      join(generator.dir, 'delve.yaml'),
      `tool: delve
command: dlv
first: 1.26.3
sources:
  - kind: github
    repository: go-delve/delve
    assets:
      amd64: dlv_{version}_windows_amd64.zip
    member: dlv.exe
    checksums: checksums.txt
module:
  - path: github.com/go-delve/delve
trust:
  require: [checksum, pe]
package:
  summary: Debugger for the Go programming language
  authors: The Delve contributors
  license: ${license}
  projectUrl: https://github.com/go-delve/delve
  releaseNotes: See the project.
`,
    );
    return generator.dir;
  }
});
