import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mainJs } from '../kit/main-js.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const dir = join(productDir, 'docs', 'ci');
const files = (await readdir(dir)).filter((name) => name.endsWith('.yml')).map((name) => join(dir, name));
const ofGithub = files.filter((file) => file.includes('github'));
const ofGitlab = files.filter((file) => file.includes('gitlab'));

const checks = [
  { program: 'actionlint', args: ofGithub },
  { program: 'check-jsonschema', args: ['--builtin-schema', 'vendor.github-workflows', ...ofGithub] },
  { program: 'check-jsonschema', args: ['--builtin-schema', 'vendor.gitlab-ci', ...ofGitlab] },
] as const;

describe('the pipelines in docs/ci', () => {
  for (const { program, args } of checks) {
    it.skipIf(!hasProgram(program))(`pass ${program} ${args[1]} (needs ${program})`, async () => {
      const { code, stdout, stderr } = await run(program, args);

      expect(code, stdout + stderr).toBe(0);
    });
  }

  it('call existing verbs and flags', async () => {
    const calls = new Set<string>();
    for (const file of files) {
      for (const [, call = ''] of (await readFile(file, 'utf8')).matchAll(
        /\bpnpm (?:--silent )?([a-z]+:[a-z]+.*)/g,
      ))
        calls.add(call);
    }
    expect(calls.size).toBeGreaterThanOrEqual(3);
    for (const call of calls) {
      const verb = call.split(' ')[0]!;
      const help = await run(process.execPath, [mainJs, verb, '--help'], {
        cwd: productDir,
      });
      expect(help.code, `${call}\n${help.stderr}`).toBe(0);
      for (const [flag] of call.matchAll(/(?<= )--[a-z-]+/g)) expect(help.stdout, call).toContain(flag);
    }
  });

  it('are for two hosts', () => {
    expect([ofGithub.length, ofGitlab.length]).toEqual([3, 3]);
  });
});
