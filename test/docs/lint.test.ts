import { describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const linters = [
  { program: 'hadolint', args: ['Dockerfile'] },
  {
    program: 'shellcheck',
    args: [
      '.ci/run',
      'dev/test-programs.sh',
      'dev/base-image.sh',
      'deploy/secrets.sh',
      'docs/operate/nightly.sh',
    ],
  },
  { program: 'actionlint', args: [] },
] as const;

describe('files that other programs read', () => {
  for (const { program, args } of linters) {
    it.skipIf(!hasProgram(program))(`pass ${program} (needs ${program})`, async () => {
      const result = await run(program, args, { cwd: productDir });

      expect(result.stdout + result.stderr).toBe('');
      expect(result.code).toBe(0);
    });
  }
});
