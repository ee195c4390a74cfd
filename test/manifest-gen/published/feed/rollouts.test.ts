import { expect, it } from 'vitest';
import { createFeedHttp } from '../../../../manifest-gen/published/feed/http.ts';
import { foreseeStart } from '../../../../manifest-gen/published/feed/rollouts.ts';
import { createHttp } from '../../../../outbound/http.ts';
import { listen } from '../../../kit/listen.ts';

async function foresee(title: string): Promise<boolean> {
  const server = await listen((request, response) => {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ title }));
  });
  const http = createHttp({ userAgent: 'go-win-tools/test' });
  const feed = createFeedHttp(http, `${server.url}/nuget`, 'a-secret-key', new AbortController().signal);
  const order = { tool: 'delve', packageId: 'delve', version: '1.22.0', plan: {} };
  try {
    return await foreseeStart(feed, order);
  } finally {
    await server.stop();
  }
}

it('asks an older server nothing before a start', async () => {
  const title = 'The request body is not understood: Unrecognized keys: "dryRun", "packageId"';
  expect(await foresee(title)).toBe(false);
});

it('passes on what is wrong with the plan', async () => {
  await expect(foresee('The request body is not understood: plan.steps')).rejects.toMatchObject({
    code: 'ROLLOUT_PLAN',
  });
});
