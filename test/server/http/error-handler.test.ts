import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { fail } from '../../../server/errors.ts';
import { renderErrorPage } from '../../../server/gallery/error-page.tsx';
import { createErrorHandler, routeNotFound } from '../../../server/http/error-handler.ts';
import { createRequestLog, createRequestWatch } from '../../../server/http/request-log.ts';
import { createLogger } from '../../../server/log.ts';
import { productDir } from '../../kit/test-server.ts';

function appOf(handler: RequestHandler): { app: express.Express; logged: () => string } {
  const lines: string[] = [];
  const log = createLogger('info', { write: (line) => void lines.push(line) });
  const app = express().use(
    createRequestLog(createRequestWatch(log, () => undefined, 'all')),
    handler,
    routeNotFound,
    createErrorHandler(log, renderErrorPage),
  );
  return { app, logged: () => lines.join('') };
}

describe('answer to an error', () => {
  const missing = () => fail('PACKAGE_NOT_FOUND', { id: 'x', version: '1.0.0' });

  it.each([
    ['GET', '/nuget/Packages()', 'application/xml', '<m:code>PACKAGE_NOT_FOUND</m:code>'],
    [
      'PUT',
      '/nuget/',
      'text/plain',
      'This feed has no package x 1.0.0. Check the id and the version; the pages of the server list both.\n',
    ],
    [
      'GET',
      '/dl/x/1.0.0/x.exe',
      'text/plain',
      'This feed has no package x 1.0.0. Check the id and the version; the pages of the server list both.\n',
    ],
    [
      'GET',
      '/git/main/x',
      'text/plain',
      'This feed has no package x 1.0.0. Check the id and the version; the pages of the server list both.\n',
    ],
    ['GET', '/v3/index.json', 'application/problem+json', '"code":"PACKAGE_NOT_FOUND"'],
    ['GET', '/api/v1/keys', 'application/problem+json', '"code":"PACKAGE_NOT_FOUND"'],
    [
      'GET',
      '/',
      'text/html',
      '<p class="lead">This feed has no package x 1.0.0. Check the id and the version; the pages of the server list both.</p>',
    ],
  ] as const)('to %s %s is %s', async (method, path, type, body) => {
    const { app } = appOf(missing);
    const call = method === 'GET' ? request(app).get(path) : request(app).put(path);

    const answer = await call.set('Accept', 'text/html, */*').responseType('text');

    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain(type);
    expect(String(answer.body)).toContain(body);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('to a program that asks for a page is text', async () => {
    const answer = await request(appOf(missing).app).get('/packages/x').set('Accept', '*/*');

    expect(answer.text).toBe(
      'This feed has no package x 1.0.0. Check the id and the version; the pages of the server list both.\n',
    );
  });

  it('reveals nothing of an internal error, and logs everything', async () => {
    const { app, logged } = appOf(() => {
      throw new Error('secret detail');
    });

    const answer = await request(app).get('/nuget');

    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret detail');
    expect(logged()).toContain('secret detail');
    expect(logged()).toContain(`"requestId":"${answer.headers['x-request-id']}","code":"INTERNAL"`);
  });

  it('removes headers that the answer would have had', async () => {
    const { app } = appOf((_req, res) => {
      res.set({
        ETag: '"x"',
        'Content-Length': '1000',
        'Content-Encoding': 'gzip',
        'Content-Disposition': 'inline',
      });
      missing();
    });

    const { headers } = await request(app).get('/nuget');

    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('content-disposition');
  });

  it('never makes half an answer look complete', async () => {
    const { app, logged } = appOf(async (_req, res) => {
      res.set('Content-Length', '1000000');
      res.write('the start');
      await pipeline(createReadStream(join(productDir, 'no such file')), res);
    });

    await expect(request(app).get('/nuget')).rejects.toThrow();
    expect(logged()).toContain('no such file');
  });
});
