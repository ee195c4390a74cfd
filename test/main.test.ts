import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cli } from './kit/cli.ts';
import { mainJs } from './kit/main-js.ts';
import { productDir } from './kit/test-server.ts';

describe('main.ts', () => {
  it('lists its verbs', async () => {
    const result = await cli({}, '--help');

    expect(result.code).toBe(0);
    for (const verb of [
      'start',
      'serve',
      'release:beta',
      'release:promote',
      'release:status',
      'release:verify',
    ]) {
      expect(result.stdout).toContain(verb);
    }
  });

  it('leaves meaningless defaults out of the help of a verb', async () => {
    const { stdout } = await cli({}, 'feed:export', '--help');

    expect(stdout).toContain('--json');
    expect(stdout).not.toContain('default');
  });

  it.each([['release:status'], ['feed:keys', 'add'], ['serve'], []])(
    'gives the exit codes in the help of %s %s',
    async (...verb) => {
      const { stdout } = await cli({}, ...verb, '--help');

      for (const code of [0, 1, 2, 3, 4, 5, 130])
        expect(stdout).toMatch(new RegExp(`^ {2}${code} +\\w`, 'm'));
    },
  );

  it('shows no stack when its reader has seen enough', async () => {
    const args = [mainJs, 'release:beta', '--help'];
    const child = spawn(process.execPath, args, { cwd: productDir, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();

    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);

    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('is behind every script, and no verb is a word that pnpm reserves', async () => {
    const { scripts } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };

    for (const [verb, command] of Object.entries(scripts)) {
      expect(command).toBe(verb === 'go-win-tools' ? 'tsx main.ts' : `tsx main.ts ${verb}`);
      expect(['import', 'audit', 'doctor', 'publish', 'pack', 'config']).not.toContain(verb);
    }
  });

  it.each(['nonsense', 'constructor', '__proto__'])(
    'does not know the verb %s: exit 2, and lists the verbs',
    async (verb) => {
      const result = await cli({}, verb);

      expect(result.code).toBe(2);
      expect(result.stderr).toContain(`There is no verb ${verb}.`);
      expect(result.stderr).toContain('release:beta');
      expect(result.stderr.trim().split('\n')).toHaveLength(2);
      expect(result.stdout).toBe('');
    },
  );

  it('ends with 2 for an unknown flag and shows no stack', async () => {
    const result = await cli({}, 'serve', '--colour');

    expect(result.code).toBe(2);
    expect(result.stderr).toContain("unknown option '--colour'");
    expect(result.stderr).not.toContain('    at ');
  });

  it('ends with 2 for invalid settings and names all of them at once', async () => {
    const result = await cli({ PORT: 'eighty', LOG_LEVEL: 'loud', READ_AUTH: 'some' }, 'serve');

    expect(result.code).toBe(2);
    for (const setting of ['PORT', 'LOG_LEVEL', 'READ_AUTH']) {
      expect(result.stderr).toContain(setting);
    }
  });
});
