import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore, Range } from '../../../server/blobs/blob-store.ts';
import { openS3Store } from '../../../server/blobs/s3-store.ts';
import { type Listening, listen } from '../../kit/listen.ts';
import { s3Credentials } from '../../kit/s3-server.ts';

const whole = Buffer.alloc(1000, 'a');
const sha256 = createHash('sha256').update(whole).digest('hex');
const part = { start: 0, end: 99, of: whole.length };
const xml = { 'Content-Type': 'application/xml' };
const emptyList = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';

describe('an object store that answers something else than was asked', () => {
  let server: Listening;
  let store: BlobStore;
  let answer: (response: ServerResponse) => void;
  beforeAll(async () => {
    Object.assign(process.env, s3Credentials);
    server = await listen((_request, response) => answer(response));
    const uploads = join(await mkdtemp(join(tmpdir(), 'gwt-s3-answers-')), 'uploads');
    const address = { bucket: 'bucket', prefix: 'feed', endpoint: server.url, forcePathStyle: true };
    answer = (response) => response.writeHead(200, xml).end(emptyList);
    store = await openS3Store(address, uploads, { answerMs: 5_000, partMs: 5_000, silentMs: 200 });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    answer = (response) => response.destroy();
  });

  async function read(range: Range): Promise<number> {
    let bytes = 0;
    await store.readTo(sha256, range, async (piece) => {
      bytes += piece.length;
    });
    return bytes;
  }

  it.each<[what: string, status: number, headers: Record<string, string>]>([
    ['the whole in place of a part', 200, { 'Content-Length': '1000' }],
    ['a longer part', 206, { 'Content-Range': 'bytes 0-999/1000', 'Content-Length': '1000' }],
    ['more bytes than it says', 206, { 'Content-Range': 'bytes 0-99/1000' }],
  ])('gives a reader no byte too many of %s', async (_what, status, headers) => {
    answer = (response) => response.writeHead(status, headers).end(whole);

    expect(await read(part)).toBe(100);
  });

  it.each<[what: string, status: number, headers: Record<string, string>]>([
    ['a part', 206, { 'Content-Range': 'bytes 0-99/5000', 'Content-Length': '100' }],
    ['the whole', 200, { 'Content-Length': '100' }],
  ])('is not believed %s of an object that has another size', async (_what, status, headers) => {
    answer = (response) => response.writeHead(status, headers).end(whole.subarray(0, 100));

    await expect(read(part)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', status: 500 });
  });

  it('shows clients no text of the store', async () => {
    const code = 'Odd&#10;\u001b[31m <b>http://elsewhere.example</b>';
    answer = (response) =>
      response.writeHead(400, xml).end(`<Error><Code>${code}</Code><Message>hidden</Message></Error>`);

    await expect(read(part)).rejects.toThrow('The object store failed (HTTP status 400)');
  });

  it.each<[what: string, write: (response: ServerResponse) => void]>([
    ['an error that does not end', (response) => void response.writeHead(400, xml).write('<Error>')],
    ['an error without end', (response) => endless(response.writeHead(400, xml))],
  ])('is given up over %s', async (_what, write) => {
    answer = write;

    await expect(read(part)).rejects.toMatchObject({ code: 'BLOB_STORE_UNREACHABLE' });
  });

  it('is given up over a list that does not end', async () => {
    answer = (response) => void response.writeHead(200, xml).write('<ListBucketResult>');

    await expect(store.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'BLOB_STORE_UNREACHABLE',
    });
  });

  it('sends its credentials to no other address', async () => {
    const requests: string[] = [];
    const other = await listen((request, response) => {
      requests.push(request.url ?? '');
      response.end();
    });
    answer = (response) =>
      response
        .writeHead(307, { Location: `${other.url}/bucket/feed`, ...xml })
        .end(`<Error><Code>TemporaryRedirect</Code><Endpoint>${new URL(other.url).host}</Endpoint></Error>`);

    await expect(read(part)).rejects.toMatchObject({ code: 'BLOB_STORE_UNREACHABLE' });
    expect(requests).toEqual([]);
    await other.stop();
  });
});

/** As fast as it is read. */
function endless(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  };
  response.on('drain', more);
  more();
}
