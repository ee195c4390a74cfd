import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { createCommand as createRestore } from '../../../server/verbs/restore.ts';
import { runVerb } from '../../kit/operator-fixture.ts';
import { makeTempDir, startTestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';

it('goes on with rollouts as of the backup, and halts what was stopped in the data that it replaces', async () => {
  const dir = await makeTempDir();
  const [dataDir, file] = [join(dir, 'data'), join(dir, 'backup.tar')];
  let server = await startTestServer({ dataDir });
  const call = (...given: Parameters<ReturnType<typeof heldUploads>['call']>) =>
    heldUploads(server, server.adminKey).call(...given);
  const act = (id: number, action: string) => call('POST', `/rollouts/${id}/${action}`, undefined, {});
  for (const tool of ['going', 'halted', 'bad']) {
    await heldUploads(server, server.adminKey, tool).whole('1.22.0');
    const plan = { steps: [{ percent: 50, hold: '1h' }] };
    expect((await call('POST', '/rollouts', undefined, { tool, version: '1.22.0', plan }))[0]).toBe(201);
  }
  const saved = await runVerb(createBackup, dataDir, file);
  expect([(await act(2, 'halt'))[0], (await act(3, 'rollback'))[0]]).toEqual([200, 200]);
  await server.stop();

  const restored = await runVerb(createRestore, dataDir, file, '--replace');
  server = await startTestServer({ dataDir });

  expect([saved.error, restored.error]).toEqual([undefined, undefined]);
  expect(restored.stderr).toContain(
    'Rollouts halted, since they have been stopped in the folder that was there: halted 1.22.0, bad 1.22.0.',
  );
  const [, rollouts] = await call('GET', '/rollouts');
  expect(rollouts).toMatchObject([
    { tool: 'bad', state: 'halted', history: [{}, { by: 'operator', action: 'halt' }] },
    { tool: 'halted', state: 'halted' },
    { tool: 'going', state: 'rolling' },
  ]);
  expect((await act(3, 'rollback'))[0]).toBe(200);
  await server.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});
