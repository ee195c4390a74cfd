import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { printScoopManifest } from '../../formats/scoop-manifest.ts';
import { createGitClient } from './git.ts';
import { makeNupkg } from './nupkg.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from './test-server.ts';

/** A feed with something of everything: listed and not, both SemVer levels, payloads, keys, both branches, a tag. */
export async function stockFeed(
  server: Pick<TestServer, 'url' | 'adminKey'>,
  workDir: string,
): Promise<{ readonly key: string }> {
  const key = await makeKey(server, ['push', 'unlist']);
  for (const version of ['1.0.0', '1.1.0', '2.0.0-beta.1', '1.2.0+build.5']) {
    await expectStatus(201, pushNupkg(server, makeNupkg({ id: 'Sample', version }), key));
  }
  await expectStatus(201, pushNupkg(server, makeNupkg({ id: 'other.tool', version: '1.0.0.0' }), key));
  const address = `${server.url}/nuget/Sample/1.1.0`;
  await expectStatus(200, fetch(address, { method: 'DELETE', headers: { 'X-NuGet-ApiKey': key } }));
  const bucket = await openBucketWork(server, workDir, 'stock');
  await bucket.release('buf', '1.32.0');
  return { key };
}

/** A data folder below `root` with such a feed, and no server that uses it. */
export async function makeStockedDir(root: string): Promise<string> {
  const dataDir = join(root, 'stocked');
  const server = await startTestServer({ dataDir });
  await stockFeed(server, root);
  await server.stop();
  return dataDir;
}

export type BucketWork = {
  /** Uploads the payload and pushes manifest and tag to both branches at once. */
  release(tool: string, version: string): Promise<void>;
  /** The same to branch beta alone. */
  beta(tool: string, version: string): Promise<void>;
};

/** A clone in which releases are made as the generator makes them. */
export async function openBucketWork(
  server: Pick<TestServer, 'url' | 'adminKey'>,
  workDir: string,
  name: string,
): Promise<BucketWork> {
  const git = await createGitClient(workDir, server.adminKey);
  const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, name);
  await git.run(clone, 'branch', 'beta', 'origin/beta');
  const to = (branches: readonly string[]) => async (tool: string, version: string) => {
    const bytes = `${tool} ${version.replace(/-.*/, '')} as an exe`;
    const url = `${server.url}/dl/${tool}/${version}/${tool}-windows-amd64.exe`;
    await expectStatus(
      201,
      fetch(url, { method: 'PUT', headers: { 'X-NuGet-ApiKey': server.adminKey }, body: bytes }),
    );
    const manifest = printScoopManifest({
      version,
      description: `The tool ${tool}`,
      homepage: 'https://example.test',
      license: 'MIT',
      architecture: {
        '64bit': { url: `${url}#/${tool}.exe`, hash: createHash('sha256').update(bytes).digest('hex') },
      },
      bin: `${tool}.exe`,
    });
    for (const branch of branches) {
      await git.run(clone, 'switch', '--quiet', branch);
      await git.commit(clone, `${tool}: Update to version ${version}`, {
        [`bucket/${tool}.json`]: manifest,
      });
    }
    await git.run(clone, 'tag', `${tool}/v${version}`);
    await git.run(clone, 'push', '--quiet', '--atomic', 'origin', ...branches, `${tool}/v${version}`);
  };
  return { release: to(['beta', 'main']), beta: to(['beta']) };
}

async function expectStatus(status: number, asking: Promise<Response>): Promise<void> {
  const answer = await asking;
  if (answer.status !== status) throw new Error(`${answer.status} ${answer.statusText}`);
}

/** Every row of the tables that a restore or an import must bring back, and every blob's bytes by name. */
export async function contentOf(
  dataDir: string,
): Promise<{ rows: Record<string, unknown[]>; blobs: Record<string, string> }> {
  const db = new Database(join(dataDir, 'catalog.db'), { readonly: true });
  try {
    const tables = ['ids', 'packages', 'nuspecs', 'payloads', 'keys'];
    const rows = Object.fromEntries(
      tables.map((table) => [table, db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`).all()]),
    );
    const blobs: Record<string, string> = {};
    for (const entry of await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      blobs[entry.name] = createHash('sha256').update(bytes).digest('hex');
    }
    return { rows, blobs };
  } finally {
    db.close();
  }
}

/** Where a blob's file is. */
export function blobFile(dataDir: string, sha256: string): string {
  return join(dataDir, 'blobs', sha256.slice(0, 2), sha256);
}
