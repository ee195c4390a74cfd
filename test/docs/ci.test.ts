import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/house.ts';
import { hasProgram, run } from '../kit/programs.ts';

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
    it.skipIf(!hasProgram(program))(`are clean by ${program} ${args[1]} (needs ${program})`, async () => {
      const { code, stdout, stderr } = await run(program, args);

      expect(code, stdout + stderr).toBe(0);
    });
  }

  it('are for two hosts', () => {
    expect([ofGithub.length, ofGitlab.length]).toEqual([2, 2]);
  });
});
