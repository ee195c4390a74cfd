import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const checks = [
  { program: 'promtool', args: ['check', 'rules', 'rules.yml'] },
  { program: 'promtool', args: ['test', 'rules', 'rules.test.yml'] },
  { program: 'amtool', args: ['check-config', 'alertmanager.yml'] },
] as const;

describe('the files in docs/operate/alerts', () => {
  for (const { program, args } of checks) {
    it.skipIf(!hasProgram(program))(`pass ${program} ${args.join(' ')} (needs ${program})`, async () => {
      const { code, stdout, stderr } = await run(program, args, {
        cwd: join(productDir, 'docs', 'operate', 'alerts'),
      });

      expect(code, stdout + stderr).toBe(0);
    });
  }
});
