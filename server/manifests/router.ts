import { createHash } from 'node:crypto';
import { type Response, Router } from 'express';
import { fail } from '../errors.ts';
import { cachePolicies } from '../http/cache.ts';
import { methodNotAllowed } from '../http/error-handler.ts';

type Manifest = { readonly text: string };

export type ManifestServices = {
  readonly catalog: { isPurged(id: string, version: string): Promise<boolean> };
  readonly bucket: {
    readManifest(channel: 'main' | 'beta', tool: string): Promise<Manifest | undefined>;
    readManifestAtVersion(tool: string, version: string): Promise<Manifest | undefined>;
    /** Of a client with this id in lower case. */
    readClientManifest(
      client: string,
      tool: string,
      from: string | undefined,
      asking: 'get' | 'head',
    ): Promise<Manifest | undefined>;
  };
  /** The id in the address of a client, in lower case, where it may have addresses of its own. */
  readonly requireClient?: (written: string) => Promise<string>;
};

/**
 * Manifests by address: /m/TOOL.json (main), /m/beta/TOOL.json, /m/TOOL/VERSION/TOOL.json (that version, forever). Open to all,
 * since Scoop sends no credentials for a manifest; but for /m/c/ID/TOOL.json (what one client is offered) where READ_AUTH is set.
 * Scoop uses the last part of the address as the app's name (spec scoop 9.5), so that part is the tool in all of them.
 */
export function createManifestsRouter({ bucket, catalog, requireClient }: ManifestServices): Router {
  const router = Router({ caseSensitive: true });
  router.get('/m/:file', async (req, res) => {
    const tool = toolOf(req.params.file);
    send(res, tool, 'on main', await bucket.readManifest('main', tool));
  });
  router.get('/m/beta/:file', async (req, res) => {
    const tool = toolOf(req.params.file);
    send(res, tool, 'on beta', await bucket.readManifest('beta', tool));
  });
  if (requireClient !== undefined) {
    router.get('/m/c/:client/:file', async (req, res) => {
      const client = await requireClient(req.params.client);
      const tool = toolOf(req.params.file);
      const asking = req.method === 'HEAD' ? 'head' : 'get';
      const manifest = await bucket.readClientManifest(client, tool, req.ip, asking);
      send(res, tool, `and the client ${client}`, manifest, 'never');
    });
  }
  router.get('/m/:tool/:version/:file', async (req, res) => {
    const { tool, version, file } = req.params;
    // The bucket's history keeps the manifest forever, but its payloads are gone.
    if (await catalog.isPurged(tool, version)) fail('VERSION_PURGED', { id: tool, version });
    const manifest = toolOf(file) === tool ? await bucket.readManifestAtVersion(tool, version) : undefined;
    send(res, tool, version, manifest);
  });
  router.all(['/m/:file', '/m/beta/:file', '/m/:tool/:version/:file'], methodNotAllowed('GET, HEAD'));
  return router;
}

function toolOf(file: string): string {
  return file.endsWith('.json')
    ? file.slice(0, -'.json'.length)
    : fail('MANIFEST_NOT_FOUND', { tool: file, version: '(expected an address that ends in .json)' });
}

function send(
  res: Response,
  tool: string,
  version: string,
  manifest: Manifest | undefined,
  // Revalidated each time: Scoop asks several times in one update and must see one state (spec scoop 9.5).
  policy: 'revalidate' | 'never' = 'revalidate',
): void {
  const { text } = manifest ?? fail('MANIFEST_NOT_FOUND', { tool, version });
  res.set({
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': cachePolicies(false)[policy],
    ETag: `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`,
  });
  res.send(text);
}
