import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDigester } from '../../formats/digest.ts';
import { FormatError } from '../../formats/format-error.ts';
import { normalizeVersion } from '../../formats/nuget-version.ts';
import { withNupkg } from '../../formats/nupkg.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { readV2Page, type V2Page } from '../../formats/v2-page.ts';
import { FeedError, fail } from '../errors.ts';
import type { ExistingPackage, ImportTarget } from '../feed/import.ts';
import type { RunningServer } from './ask-server.ts';

const pageSize = 100;

/** The server opens, hashes and fsyncs a package before it answers. */
const pushTimeout = { socket: 600_000, response: 600_000 };

/**
 * Imports through the server that uses the data folder: each package is pushed as by any client, with its publication date and
 * whether it is listed (push/origin.ts). Its bytes wait in `scratchDir` until they are known to match what the source announced.
 */
export function importIntoServer(
  { ask, url }: RunningServer,
  scratchDir: string,
  maxBytes: number,
): ImportTarget {
  const known = new Map<string, Promise<Map<string, ExistingPackage>>>();

  function versionsOf(id: string): Promise<Map<string, ExistingPackage>> {
    const idKey = id.toLowerCase();
    const versions = known.get(idKey) ?? readVersions(id);
    known.set(idKey, versions);
    return versions;
  }

  /** From the feed itself, a page at a time: its links may go through a proxy that this machine cannot reach. */
  async function readVersions(id: string): Promise<Map<string, ExistingPackage>> {
    const versions = new Map<string, ExistingPackage>();
    for (let skip = 0; ; skip += pageSize) {
      const query = `id='${encodeURIComponent(id)}'&semVerLevel=2.0.0&$top=${pageSize}&$skip=${skip}`;
      const text = await ask(`nuget/FindPackagesById()?${query}`);
      const { entries } = readPage(text);
      for (const { version, hash, isListed } of entries) {
        versions.set(keyOf(version), { sha512: hash?.hex ?? '', isListed });
      }
      if (entries.length < pageSize) return versions;
    }
  }

  function readPage(text: string): V2Page {
    try {
      return readV2Page(text, new URL('http://this.invalid/'));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return fail('SERVER_STRANGE', { url }, error);
    }
  }

  async function push(file: string, sizeBytes: number, origin: Record<string, string>): Promise<void> {
    try {
      await ask('nuget/', {
        method: 'PUT',
        body: createReadStream(file),
        timeout: pushTimeout,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(sizeBytes),
          ...origin,
        },
      });
    } catch (error) {
      const status = error instanceof FeedError ? error.details.status : undefined;
      if (status === 409) fail('PACKAGE_EXISTS', { id: '', version: '' }, error);
      if (status === 507) fail('STORAGE_FULL', {}, error);
      throw error;
    }
  }

  return {
    async find(id, version) {
      return (await versionsOf(id)).get(keyOf(version));
    },
    async receive(bytes) {
      const file = join(scratchDir, `${randomUUID()}.nupkg`);
      const discard = () => rm(file, { force: true });
      const digester = createDigester();
      try {
        await pipeline(bytes, limitTo(maxBytes), digester, createWriteStream(file, { flags: 'wx' }));
      } catch (error) {
        await discard();
        throw error;
      }
      const digest = digester.digest();
      return {
        digest,
        content: file,
        async publish({ authorize, isListed, published }) {
          const nuspec = await readNuspecOf(file);
          authorize(nuspec);
          const { id, version } = nuspec;
          try {
            await push(file, digest.sizeBytes, {
              'x-listed': String(isListed),
              ...(published && { 'x-published': published.toISOString() }),
            });
          } catch (error) {
            // Somebody else was faster: ask for the existing package again.
            known.delete(id.toLowerCase());
            throw error;
          }
          (await versionsOf(id)).set(keyOf(version), { sha512: digest.sha512, isListed });
        },
        discard,
      };
    },
    async unlist(id, version) {
      await ask(addressOf(id, version), { method: 'DELETE' });
    },
  };
}

async function readNuspecOf(file: string): Promise<Nuspec> {
  try {
    return await withNupkg(file, ({ nuspec }) => nuspec);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return fail('PACKAGE_INVALID', { problem: error.message }, error);
  }
}

/** @throws FeedError PACKAGE_TOO_LARGE */
function limitTo(maxBytes: number) {
  return async function* (source: Readable): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) fail('PACKAGE_TOO_LARGE', { maxBytes });
      yield chunk;
    }
  };
}

function addressOf(id: string, version: string): string {
  return `nuget/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
}

function keyOf(version: string): string {
  return normalizeVersion(version).toLowerCase();
}
