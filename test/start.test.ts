import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempDir } from './kit/house.ts';
import { listen } from './kit/listen.ts';
import { mainStart, startStart } from './kit/start-process.ts';

describe('start, interrupted while it releases the first tools', () => {
  it('says so and nothing of what was cut short', async () => {
    const dir = await makeTempDir();
    let onAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    // A forge that takes the question and never answers.
    const forge = await listen(() => onAsked());
    try {
      const env = { DATA_DIR: join(dir, 'data'), CACHE_DIR: join(dir, 'cache'), GITHUB_API_URL: forge.url };
      const program = await startStart(mainStart, env);
      await asked;

      const code = await program.end();

      expect(code).toBe(0);
      const said = program.stdout();
      expect(said).toContain('Interrupted before anything was published; the next start begins again.');
      expect(said).toContain('The server has stopped.');
      expect(said).not.toMatch(/cannot be reached|aborted|is not stable|release:beta/);
      expect(program.stderr()).not.toMatch(/\n\s+at /);
    } finally {
      await forge.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  }, 120_000);
});
