import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../kit/test-server.ts';

describe('the app', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it.each([
    ['PUT', '/', 'GET, HEAD'],
    ['POST', '/packages/x', 'GET, HEAD'],
    ['PUT', '/m/x.json', 'GET, HEAD'],
    ['POST', '/m/beta/x.json', 'GET, HEAD'],
    ['DELETE', '/m/x/1.0.0/x.json', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PUT', '/readyz', 'GET, HEAD'],
    ['PATCH', '/nuget', 'GET, HEAD, PUT'],
    ['DELETE', '/api/v2/', 'GET, HEAD, PUT'],
    ['POST', '/nuget/Packages()', 'GET, HEAD'],
    ['POST', '/dl/x/1.0.0/x.exe', 'GET, HEAD, PUT'],
    ['PUT', '/api/v1/server', 'GET, HEAD'],
  ])('answers %s %s with 405 and the allowed methods', async (method, path, allowed) => {
    const answer = await fetch(`${server.url}${path}`, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
  });

  it.each([
    '/dl/%ff/1.0.0/x.exe',
    '/m/%e0%.json',
    '/packages/%',
    '/nuget/%ff',
    '/nuget/package/%c0%80/1.0.0',
  ])('answers %s with 400 and what is wrong', async (path) => {
    const answer = await fetch(`${server.url}${path}`);

    expect([answer.status, answer.statusText]).toEqual([
      400,
      'The address is invalid: it has a percent sign that does not begin an escape of UTF-8 text.',
    ]);
  });
});
