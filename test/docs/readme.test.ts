import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../kit/cli.ts';
import { productDir } from '../kit/test-server.ts';

const readme = await readFile(join(productDir, 'README.md'), 'utf8');
const packageJson = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** The commands of the fenced `sh` blocks: those that run on Linux. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

/** Who runs each of them. A command that nobody runs may not stand in the README. */
const runBy: Readonly<Record<string, string>> = {
  'npx -y pnpm@10 start': 'test/flows/main-job.test.ts',
  'npx -y pnpm@10 test': '.ci/run',
  'npx -y pnpm@10 release:status': 'test/flows/main-job.test.ts',
  'npx -y pnpm@10 release:beta delve@1.22.0 --source go-module': 'test/flows/main-job.test.ts',
  'npx -y pnpm@10 release:promote delve': 'test/flows/main-job.test.ts',
  'npx -y pnpm@10 release:withdraw delve@1.22.0 --reason "crashes on start"': 'test/flows/withdraw.test.ts',
};

describe('the README', () => {
  it('has no Linux command that no test runs', () => {
    expect(commands.toSorted()).toEqual(Object.keys(runBy).toSorted());
  });

  it('names scripts that exist, and each of them is main.ts with the verb', () => {
    for (const command of commands) {
      const verb = command.split(' ')[3] ?? '';
      expect(packageJson.scripts[verb], command).toBe(`tsx main.ts ${verb}`);
    }
  });

  it('points to files that are there', async () => {
    const links = [...readme.matchAll(/\]\(((?!https?:|#)[^)#]+)\)/g)].map(([, path = '']) => path);

    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      await expect(access(join(productDir, link)), link).resolves.toBeUndefined();
    }
  });

  it('says how to learn of every setting', async () => {
    const help = await cli({}, 'serve', '--help');

    expect(help.code).toBe(0);
    for (const setting of [
      'PORT',
      'HOST',
      'DATA_DIR',
      'PUBLIC_URL',
      'TLS_CERT_FILE',
      'TLS_KEY_FILE',
      'TRUST_PROXY',
      'ADMIN_API_KEY',
      'READ_AUTH',
      'MAX_PACKAGE_BYTES',
      'LOG_LEVEL',
    ]) {
      expect(help.stdout).toContain(setting);
    }
  });
});
