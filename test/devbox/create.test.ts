import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';

/** From a real server, over HTTP and git. */
describe('devbox:create', () => {
  let fixture: ReleaseFixture;
  let generator: Generator;
  let dir: string;

  beforeAll(async () => {
    fixture = await startReleaseFixture({ repositories: { 'go-delve/delve': [delveRelease('1.26.2')] } });
    ({ generator } = fixture);
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    dir = join(generator.dir, 'repository');
    await rm(dir, { recursive: true, force: true });
  });

  const create = (...args: readonly string[]) =>
    generator.run('devbox:create', ['repository', ...args], { env: { FEED_API_KEY: '' } });
  const read = (path: string): Promise<string> => readFile(join(dir, path), 'utf8');

  it('does not write for a feed without tools, and says what to release', async () => {
    const result = await create();

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('Branch main of the bucket has no tools.');
    await expect(readdir(dir)).rejects.toThrow();
  });

  describe('with delve on main', () => {
    beforeAll(async () => {
      await generator.run('release:beta', ['delve']);
      await generator.run('release:promote', ['delve']);
    });

    it('writes what main offers, and says what the feed lacks', async () => {
      const { exitCode, stdout, stderr } = await create();

      expect(stderr).toContain('warning: The feed does not have go-win-probe on main');
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^devbox\.yaml +written$/m);
      const declaration = parse(await read('devbox.yaml'));
      expect(declaration).toMatchObject({ feed: fixture.server.publicUrl, tools: { delve: '1.26.2' } });
      const schema = JSON.parse(await read('devbox.schema.json'));
      const validate = new Ajv({ strict: false, validateSchema: false }).compile({
        ...schema,
        $schema: undefined,
      });
      expect(validate(declaration), JSON.stringify(validate.errors)).toBe(true);
      const manifest = await (await fetch(`${fixture.server.url}/m/delve.json`)).json();
      const { url, hash } = manifest.architecture['64bit'];
      expect(JSON.parse(await read('devbox.lock.json')).tools).toEqual({
        delve: { version: '1.26.2', url: url.replace('#/dlv.exe', ''), sha256: hash, file: 'dlv.exe' },
      });
      const machine = JSON.parse(await read('config/machine.json'));
      expect(machine.packages).toEqual([{ name: 'delve', version: '1.26.2', by: 'Chocolatey' }]);
      const { $schema, ...same } = machine;
      expect(parse(await read('config/machine.yaml'))).toEqual(same);
      for (const path of stdout.split('\n').flatMap((line) => line.split(' ')[0] || []))
        expect(await read(path), path).not.toMatch(/\{\{\w+\}\}/);
    });

    it('changes nothing the second time', async () => {
      await create();
      const before = await Promise.all(['devbox.yaml', 'devbox.lock.json', 'compose.yaml'].map(read));
      const { exitCode, stdout } = await create();

      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^\d+ files are as they should be\.\n$/);
      expect(await Promise.all(['devbox.yaml', 'devbox.lock.json', 'compose.yaml'].map(read))).toEqual(
        before,
      );
    });

    it('names what people changed and updates the rest; --force replaces', async () => {
      await create();
      await writeFile(join(dir, 'compose.yaml'), 'name: mine\n');
      const machine = await read('config/machine.json');
      await rm(join(dir, 'config', 'machine.json'));
      const result = await create();

      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(
        'were changed after devbox:create wrote them, so they were not updated: compose.yaml.',
      );
      expect(result.stderr).toContain('compose.yaml');
      expect(await read('compose.yaml')).toBe('name: mine\n');
      expect(await read('config/machine.json')).toBe(machine);
      expect((await create()).exitCode, 'still changed').toBe(1);

      expect((await create('--force')).exitCode).toBe(0);
      expect(await read('compose.yaml')).not.toBe('name: mine\n');
      expect((await create()).exitCode).toBe(0);
    });

    it('takes line ends that git changed for unchanged', async () => {
      await create();
      const text = await read('compose.yaml');
      await writeFile(join(dir, 'compose.yaml'), text.replaceAll('\n', '\r\n'));
      expect((await create()).exitCode).toBe(0);
    });

    it('takes a changed devbox.yaml as it is: a line more adds a tool', async () => {
      await create();
      await writeFile(
        join(dir, 'devbox.yaml'),
        (await read('devbox.yaml')).replace('limit: 25', 'limit: 30'),
      );
      const mine = await read('devbox.yaml');
      expect(await create()).toMatchObject({ exitCode: 0 });
      expect(await read('devbox.yaml')).toBe(mine);
      expect((await create('--tool', 'delve')).stderr).toContain('add the tool to it');

      await writeFile(join(dir, 'devbox.yaml'), mine.replace('delve: 1.26.2', 'delve: 9.9.9'));
      const unknown = await create();
      expect(unknown.exitCode).toBe(1);
      expect(unknown.stderr).toContain('Branch main of the bucket has no delve 9.9.9, and never had it.');
    });

    it('refuses values that a Dockerfile or a shell would not take literally, with line and column', async () => {
      await create();
      const text = await read('devbox.yaml');
      const faults = [
        ['delve: 1.26.2', 'delve: "1.0.0; rm -rf /"', 'tools.delve "1.0.0; rm -rf /"'],
        [/feed: .*/, 'feed: http://example.test/"$(id)"', 'line 4, column 7: feed'],
        ['limit: 25', 'limit: "25"', 'images.linux.limit "25" is a text: expected a number'],
        [/feed: (.*)/, 'feed: $1/nuget', 'write the PUBLIC_URL of the server'],
        ['images:', 'colour: red\nimages:', 'colour is not a field of devbox.yaml'],
      ] as const;
      for (const [from, to, said] of faults) {
        await writeFile(join(dir, 'devbox.yaml'), text.replace(from, to));
        const result = await create();
        expect(result.exitCode).toBe(2);
        expect(result.stderr).toContain(said);
      }
    });

    it('never writes through a link', async () => {
      await mkdir(join(generator.dir, 'elsewhere'), { recursive: true });
      await mkdir(dir);
      await symlink(join(generator.dir, 'elsewhere'), join(dir, 'config'));
      await symlink(join(generator.dir, 'elsewhere', 'compose'), join(dir, 'compose.yaml'));
      for (const args of [[], ['--force']]) {
        const result = await create(...args);

        expect(result.exitCode).toBe(1);
        expect(result.stderr).toContain('compose.yaml, config/');
        expect(await readdir(join(generator.dir, 'elsewhere'))).toEqual([]);
      }
    });

    it('writes nothing with --dry-run', async () => {
      expect((await create('--dry-run')).stdout).toMatch(/^devbox\.yaml +would be written$/m);
      await expect(readdir(dir)).rejects.toThrow();
    });

    it('names the tools of main for a tool that it does not have', async () => {
      const result = await create('--tool', 'gopls');
      expect(result).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('has no tool gopls; it has delve.'),
      });
    });
  });
});
