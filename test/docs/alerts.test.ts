import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const checks = [
  { program: 'promtool', args: ['check', 'rules', 'rules.yml'] },
  { program: 'promtool', args: ['test', 'rules', 'rules.test.yml'] },
  { program: 'amtool', args: ['check-config', 'alertmanager.yml'] },
] as const;

const routes = [
  { labels: ['alertname=Watchdog', 'severity=none'], receivers: 'feed' },
  { labels: ['alertname=ErrorRatioHigh', 'severity=page', 'service=checkout'], receivers: 'feed,people' },
  { labels: ['alertname=RolloutHalted', 'severity=ticket', 'tool=delve'], receivers: 'people' },
] as const;

describe('the files in docs/operate/alerts', () => {
  for (const { labels, receivers } of routes) {
    it.skipIf(!hasProgram('amtool'))(`send ${labels[0]} to ${receivers} (needs amtool)`, async () => {
      const args = ['config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels];
      const { code, stdout, stderr } = await run('amtool', args, {
        cwd: join(productDir, 'docs', 'operate', 'alerts'),
      });

      expect([code, stdout.trim()], stderr).toEqual([0, receivers]);
    });
  }

  for (const { program, args } of checks) {
    it.skipIf(!hasProgram(program))(`pass ${program} ${args.join(' ')} (needs ${program})`, async () => {
      const { code, stdout, stderr } = await run(program, args, {
        cwd: join(productDir, 'docs', 'operate', 'alerts'),
      });

      expect(code, stdout + stderr).toBe(0);
    });
  }
});
