import type { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openApiOf } from '../../../server/api/openapi.ts';
import { createAdminRouter } from '../../../server/api/router.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from './held-uploads.ts';

/** What OpenAPI 3.1 asks of the parts that we use; fields that it does not know are refused. */
const Schema = z.record(z.string(), z.unknown());
const Content = z.record(z.string().regex(/^[a-z]+\/[a-z+]+$/), z.strictObject({ schema: Schema }));
const Operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().min(1),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(
    z.strictObject({
      name: z.string(),
      in: z.enum(['path', 'query']),
      required: z.boolean(),
      description: z.string().optional(),
      schema: Schema,
    }),
  ),
  requestBody: z.strictObject({ required: z.boolean(), content: Content }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.strictObject({ description: z.string(), content: Content.optional() }),
  ),
});
const Document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.url() })),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'delete']), Operation),
  ),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.enum(['http', 'apiKey']) })),
    schemas: z.record(z.string(), Schema),
  }),
});

describe('/openapi.json', () => {
  let server: TestServer;
  let document: z.infer<typeof Document>;
  beforeAll(async () => {
    server = await startTestServer();
    const answer = await fetch(`${server.url}/openapi.json`);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    document = Document.parse(await answer.json());
  });
  afterAll(() => server.stop());

  it('has every route of the API, and no other', () => {
    const router = createAdminRouter({} as never);

    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );

    expect(described.sort()).toEqual(routesOf(router).sort());
    expect(described.length).toBeGreaterThan(5);
  });

  it('names each operation once, and each parameter of its path', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation! })),
    );

    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { path, parameters } of operations) {
      const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
    }
  });

  it('only refers to existing parts', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    const named = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).flatMap((operation) =>
        (operation!.security ?? []).flatMap((one) => Object.keys(one)),
      ),
    );

    expect(refs.length).toBeGreaterThan(0);
    for (const [, name] of refs) expect(document.components.schemas).toHaveProperty(name!);
    for (const name of named) expect(document.components.securitySchemes).toHaveProperty(name);
  });

  it('asks for a key exactly where the server does', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const url = `${document.servers[0]!.url}${path.replace('{id}', 'x')}`;
        const { status } = await fetch(url, { method: method.toUpperCase() });
        expect(status === 401, `${method} ${path}`).toBe(operation!.security !== undefined);
        expect(operation!.responses).toHaveProperty(String(status));
      }
    }
  });

  it('has every answer of uploads and starts that succeed', async () => {
    const { payload, push, manifest, call } = heldUploads(server, server.adminKey);
    await payload('1.22.0');
    await push('1.22.0');
    const puts = [await manifest('1.22.0'), await manifest('1.22.0')];
    const plan = { steps: [{ percent: 1, hold: '1d' }] };
    const starts: number[] = [];
    for (const more of [{ dryRun: true }, {}, {}]) {
      const order = { tool: 'delve', version: '1.22.0', plan, ...more };
      starts.push((await call('POST', '/rollouts', undefined, order))[0]);
    }

    expect([puts, starts]).toEqual([
      [201, 200],
      [204, 201, 200],
    ]);
    for (const status of puts)
      expect(document.paths['/held/{tool}/{version}']!.put!.responses).toHaveProperty(String(status));
    for (const status of starts)
      expect(document.paths['/rollouts']!.post!.responses).toHaveProperty(String(status));
  });

  it('contains nothing that differs from day to day', async () => {
    await expect(
      `${JSON.stringify(openApiOf('https://feed.example.org', '1.0.0'), undefined, 2)}\n`,
    ).toMatchFileSnapshot('../../golden/admin/openapi.json');
  });
});

type Layer = {
  readonly route?: { readonly path: string; readonly stack: readonly { method?: string }[] };
  readonly handle: { readonly stack?: readonly Layer[] };
};

/** `get /keys` for every handler of every route; `all` is what refuses other methods. */
function routesOf(router: Router): string[] {
  return layersOf(router.stack as unknown as readonly Layer[]);
}
function layersOf(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle }) =>
    route === undefined
      ? layersOf(handle.stack ?? [])
      : [
          ...new Set(
            route.stack.flatMap(({ method }) => (method === undefined ? [] : `${method} ${route.path}`)),
          ),
        ],
  );
}
