import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useListeners } from '../../kit/listen.ts';
import { runPester } from '../../kit/pester.ts';
import { hasProgram } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

const { serve } = useListeners();

describe.skipIf(!hasProgram('pwsh'))('the steps of the Windows image (needs pwsh)', () => {
  it('pass their Pester tests', async () => {
    const dir = await makeTempDir();
    try {
      const served = join(dir, 'served');
      await mkdir(served);
      const { url } = await serve((request, response) => {
        const file = join(served, (request.url ?? '').slice(1));
        stat(file).then(
          () => createReadStream(file).pipe(response),
          () => response.writeHead(404).end(),
        );
      });
      const steps = join(productDir, 'devbox', 'templates', 'images', 'windows');
      const env = { STEPS: steps, FEED: url, SERVED: served };
      const { passed, failed } = await runPester(import.meta.dirname, env);

      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThan(25);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
