import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { operator } from '../../../server/audit/audit.ts';
import { publish } from '../../../server/feed/publish.ts';
import type { Principal } from '../../../server/keys/api-keys.ts';
import { everything } from '../../contract/catalog.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { holder, openTemporaryStorage, publishedAt } from './storage.ts';

describe('publish', () => {
  let storage: Awaited<ReturnType<typeof openTemporaryStorage>>;
  beforeEach(async () => {
    storage = await openTemporaryStorage();
  });
  afterEach(() => storage.remove());

  async function storedFiles(): Promise<string[]> {
    const entries = await readdir(join(storage.dir, 'blobs'), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  }

  it('makes a row of the nuspec and a blob of the bytes', async () => {
    const bytes = makeNupkg({
      id: 'Delve',
      version: '1.22.0',
      metadata: { title: 'dlv', tags: 'go debugger' },
    });

    await storage.push(bytes);

    const row = await storage.catalog.find('delve', '1.22.0');
    expect(row).toMatchObject({
      ...digestBytes(bytes),
      id: 'Delve',
      version: '1.22.0',
      published: publishedAt,
      isLatest: true,
      nuspec: { title: 'dlv', tags: ['go', 'debugger'] },
    });
    expect((await buffer(await storage.blobs.open(row?.sha256 ?? ''))).equals(bytes)).toBe(true);
    expect(await storedFiles()).toEqual([row?.sha256]);
  });

  it.each([
    ['the same bytes', '1.0.0', '1.0.0'],
    ['another spelling', '1.0.0', '1.0'],
    ['other metadata', '1.0.0-beta.1+foo', '1.0.0-beta.1+bar'],
  ])('refuses an existing version: %s', async (_what, first, second) => {
    await storage.push(makeNupkg({ id: 'x', version: first }));

    await expect(storage.push(makeNupkg({ id: 'X', version: second }))).rejects.toMatchObject({
      code: 'PACKAGE_EXISTS',
      status: 409,
      message: expect.stringContaining('already exists and cannot be modified'),
    });

    expect(await storage.catalog.size()).toBe(1);
    expect(await storedFiles()).toHaveLength(1);
  });

  it('refuses it after it was unlisted too', async () => {
    await storage.push(makeNupkg({ id: 'x', version: '1.0.0' }));
    await storage.catalog.setListed('x', '1.0.0', false, operator);

    await expect(storage.push(makeNupkg({ id: 'x', version: '1.0.0' }))).rejects.toMatchObject({
      code: 'PACKAGE_EXISTS',
    });
  });

  it('takes one of sixteen different packages of one version that come at once, and it is whole', async () => {
    const pushes = Array.from({ length: 16 }, (_, n) =>
      makeNupkg({ id: 'x', version: '1.0.0', files: { 'tools/n.txt': String(n) } }),
    );

    const results = await Promise.allSettled(pushes.map((bytes) => storage.push(bytes)));

    const refusals = results.filter((result) => result.status === 'rejected');
    expect(refusals.map(({ reason }) => reason.code)).toEqual(Array(15).fill('PACKAGE_EXISTS'));
    const row = await storage.catalog.find('x', '1.0.0');
    const winner = pushes[results.findIndex((result) => result.status === 'fulfilled')] ?? Buffer.alloc(0);
    expect(row?.sha512).toBe(digestBytes(winner).sha512);
    expect((await buffer(await storage.blobs.open(row?.sha256 ?? ''))).equals(winner)).toBe(true);
  });

  it.each<[string, () => Buffer]>([
    ['an empty upload', () => Buffer.alloc(0)],
    ['what is no zip', () => Buffer.from('<html>Please log in</html>')],
    ['a zip that was cut off', () => makeNupkg().subarray(0, 200)],
    ['a zip without a nuspec', withoutNuspec],
    ['a nuspec that is no XML', () => makeNupkg({ nuspec: 'id: x' })],
    ['a nuspec without an id', () => makeNupkg({ metadata: { id: undefined } })],
    ['a nuspec without a version', () => makeNupkg({ metadata: { version: undefined } })],
    ['a nuspec without authors', () => makeNupkg({ metadata: { authors: undefined } })],
    ['a nuspec without a description', () => makeNupkg({ metadata: { description: undefined } })],
    ['an id with separators at its end', () => makeNupkg({ metadata: { id: 'EndWithSeparator.' } })],
    ['an id of symbols', () => makeNupkg({ metadata: { id: '$id$' } })],
    ['a version that is none', () => makeNupkg({ metadata: { version: 'latest' } })],
    ['a control character', () => makeNupkg({ metadata: { description: 'a\u0001b' } })],
    ['a title too long', () => makeNupkg({ metadata: { title: 't'.repeat(257) } })],
    ['an entity bomb', () => makeNupkg({ nuspec: entityBomb })],
    ['a name that leads out', traversal],
    ['a damaged file', damaged],
  ])('refuses %s and keeps nothing of it', async (_what, make) => {
    await expect(storage.push(make())).rejects.toMatchObject({ code: 'PACKAGE_INVALID', status: 400 });

    expect(await storage.catalog.size()).toBe(0);
    expect(await storedFiles()).toEqual([]);
  });

  it('does not blame the package for a fault of the server', async () => {
    const upload = {
      content: join(storage.dir, 'gone'),
      digest: digestBytes(Buffer.from('x')),
      commit: async () => undefined,
      commitPending: async () => undefined,
      discard: async () => undefined,
    };

    await expect(publish(storage, upload, holder('push'), '192.0.2.1')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it.each<[Principal, string, string, 'taken' | 'refused']>([
    [holder('push'), 'delve', '1.0.0', 'taken'],
    [holder('push'), 'delve', '1.0.0-beta.1', 'taken'],
    [holder('admin'), 'delve', '1.0.0', 'taken'],
    [holder('push:beta'), 'delve', '1.0.0-beta.1', 'taken'],
    [holder('push:beta'), 'delve', '1.0.0', 'refused'],
    [holder('push:beta'), 'delve', '1.0.0+beta.1', 'refused'],
    [holder('read'), 'delve', '1.0.0-beta.1', 'refused'],
    [holder('unlist'), 'delve', '1.0.0', 'refused'],
    [holder('push', 'del*'), 'Delve', '1.0.0', 'taken'],
    [holder('push:beta', 'buf'), 'delve', '1.0.0', 'refused'],
  ])('with the key %j a push of %s %s is %s', async (principal, id, version, outcome) => {
    const pushing = storage.push(makeNupkg({ id, version }), principal);

    if (outcome === 'taken') await pushing;
    else await expect(pushing).rejects.toMatchObject({ code: 'KEY_SCOPE', status: 403 });
    expect(await storage.catalog.count(everything)).toBe(outcome === 'taken' ? 1 : 0);
  });

  it.each<[Principal, string]>([
    [holder('push', 'buf'), '1.0.0'],
    [holder('push:beta', 'buf'), '1.0.0-beta.1'],
  ])(
    'with the key %j a push of delve %s is refused, saying what the key is limited to',
    async (principal, version) => {
      const pushing = storage.push(makeNupkg({ id: 'delve', version }), principal);

      await expect(pushing).rejects.toMatchObject({
        code: 'KEY_IDS',
        status: 403,
        message: `The specified API key is limited to buf, which does not include delve ${version}. Use a key for it, or ask the administrator of this feed for one (feed:keys add --id).`,
      });
      expect(await storage.catalog.count(everything)).toBe(0);
    },
  );
});

const entityBomb = `<?xml version="1.0"?><!DOCTYPE package [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<package><metadata><id>x</id><version>1.0.0</version><authors>&b;</authors><description>x</description></metadata></package>`;

function withoutNuspec(): Buffer {
  const zip = new AdmZip(makeNupkg());
  zip.deleteFile('sample.nuspec');
  return zip.toBuffer();
}

/** The name is overwritten with one of the same length, as a hostile packer would. */
function traversal(): Buffer {
  const bytes = makeNupkg({ files: { 'aaaaaa/evil.txt': 'x' } });
  return Buffer.from(bytes.toString('latin1').replaceAll('aaaaaa/evil.txt', '../../aevil.txt'), 'latin1');
}

/** One byte of a stored file is another than its checksum says. */
function damaged(): Buffer {
  const zip = new AdmZip(makeNupkg());
  zip.addFile('tools/stored.bin', Buffer.from('the true content'));
  const entry = zip.getEntry('tools/stored.bin');
  if (entry) entry.header.method = 0;
  return Buffer.from(zip.toBuffer().toString('latin1').replace('true content', 'fake content'), 'latin1');
}
