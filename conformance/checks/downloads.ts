import { createHash } from 'node:crypto';
import { propertyOf } from '../../formats/atom-page.ts';
import type { Check } from '../check.ts';
import { demand, skip } from '../verdict.ts';
import { mediaTypeOf, statusLine } from '../wire/answer.ts';
import { askHttp10 } from './ask-http10.ts';
import { download, isZip, smallest } from './download-samples.ts';

const install = 'choco install, every version';

/** The bytes, as an answer (spec nuget-v2 9.8, 4.3); where they are had: download-addresses.ts. */
export const downloadChecks: readonly Check[] = [
  {
    id: 'downloads/source',
    section: '9.8',
    title: 'content src answers 200 with a zip',
    level: 'must',
    breaks: install,
    async run(context) {
      const { answer } = await download(context);
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      demand(
        isZip(answer),
        answer,
        'a zip',
        `${answer.body.length} bytes that begin with ${JSON.stringify(answer.body.subarray(0, 4).toString('latin1'))}`,
      );
    },
  },
  {
    id: 'downloads/hash',
    section: '1',
    title: 'PackageHash is the SHA512 of these bytes',
    level: 'must',
    breaks: 'choco with usePackageHashValidation refuses the package',
    async run(context) {
      const { answer, entry } = await download(context);
      const [hash, found] = [propertyOf(entry, 'PackageHash'), createHash('sha512').update(answer.body)];
      if (hash === '' || answer.status !== 200) skip('no PackageHash or no download');
      const digest = found.digest();
      const isIt = hash === digest.toString('base64') || hash.toLowerCase() === digest.toString('hex');
      demand(
        isIt || propertyOf(entry, 'PackageHashAlgorithm') !== 'SHA512',
        answer,
        hash.slice(0, 24),
        digest.toString('base64').slice(0, 24),
      );
    },
  },
  {
    id: 'downloads/size',
    section: '9.5',
    title: 'PackageSize is the number of bytes',
    level: 'should',
    breaks: 'choco info shows another size; mirrors fetch again',
    async run(context) {
      const { answer, entry } = await download(context);
      const size = propertyOf(entry, 'PackageSize');
      if (size === '' || answer.status !== 200) skip('no PackageSize or no download');
      demand(Number(size) === answer.body.length, answer, `${size} bytes`, `${answer.body.length}`);
    },
  },
  {
    id: 'downloads/length',
    section: '9.8',
    title: 'Content-Length is sent',
    level: 'should',
    breaks: 'choco shows no progress, and no broken download is noticed',
    async run(context) {
      const { answer } = await download(context);
      if (answer.status !== 200) skip('no download');
      demand(
        answer.headers['content-length'] === String(answer.body.length),
        answer,
        `Content-Length: ${answer.body.length}`,
        answer.headers['content-length'] ?? 'none',
      );
    },
  },
  {
    id: 'downloads/not-compressed',
    section: '9.8',
    title: 'the package is not gzipped on the way',
    level: 'must',
    breaks: 'choco 1.x writes the compressed bytes to disk',
    async run(context) {
      const { answer } = await download(context, { 'Accept-Encoding': 'gzip, deflate' });
      const encoding = answer.headers['content-encoding'] ?? 'identity';
      demand(encoding === 'identity', answer, 'no Content-Encoding', encoding);
    },
  },
  {
    id: 'downloads/type',
    section: '9.8',
    title: 'Content-Type is application/zip or octet-stream',
    level: 'should',
    breaks: 'proxies and browsers rewrite or show it',
    async run(context) {
      const { answer } = await download(context);
      if (answer.status !== 200) skip('no download');
      demand(
        ['application/zip', 'application/octet-stream', 'binary/octet-stream'].includes(mediaTypeOf(answer)),
        answer,
        'application/zip',
        mediaTypeOf(answer) || 'none',
      );
    },
  },
  {
    id: 'downloads/file-name',
    section: '9.8',
    title: 'Content-Disposition names Id.Version.nupkg',
    level: 'may',
    breaks: 'browsers and scripts save it under another name',
    async run(context) {
      const { answer } = await download(context);
      const disposition = answer.headers['content-disposition'] ?? '';
      demand(
        /^attachment;.*\.nupkg/i.test(disposition),
        answer,
        'attachment; filename="Id.Version.nupkg"',
        disposition || 'none',
      );
    },
  },
  {
    id: 'downloads/http10',
    section: '18.2',
    title: 'a download over HTTP/1.0 is whole, not chunked, and has its length',
    level: 'must',
    breaks: 'choco 0.10.15/1.x downloads by HTTP/1.0',
    async run({ feed, samples }) {
      const { entry } = smallest(samples);
      const source = entry.source ?? '';
      if (!source.startsWith(`${feed.base}/`)) skip('content src is not below the feed');
      const answer = await askHttp10(feed, source.slice(feed.base.length));
      demand(isZip(answer), answer, 'a zip', `${answer.body.length} other bytes`);
    },
  },
  {
    id: 'downloads/validator',
    section: '9.8',
    title: 'ETag or Last-Modified is sent',
    level: 'may',
    breaks: 'proxies fetch it again each time',
    async run(context) {
      const { answer } = await download(context);
      demand('etag' in answer.headers || 'last-modified' in answer.headers, answer, 'ETag', 'none');
    },
  },
  {
    id: 'downloads/range',
    section: '18.1',
    title: 'a range, where it is taken, is answered by 206 and these bytes',
    level: 'may',
    breaks: 'resumed downloads are broken',
    async run(context) {
      const { answer, entry } = await download(context);
      const part = await context.feed.askAddress(entry.source ?? '', { headers: { Range: 'bytes=2-9' } });
      if (part.status === 200)
        return demand(part.body.equals(answer.body), part, 'the whole package', 'other bytes');
      demand(
        part.status === 206 && part.body.equals(answer.body.subarray(2, 10)),
        part,
        '206 and bytes 2 to 9',
        `${statusLine(part)}, ${part.body.length} bytes`,
      );
    },
  },
];
