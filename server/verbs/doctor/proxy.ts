import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { printBytes } from '../print.ts';
import { type Check, type Finding, failed, ok, type Place, warn } from './check.ts';

/** Whether what stands before the server lets everything through that clients send. */
export const proxy: Check = {
  name: 'proxy',
  needs: ['public-url'],
  async look(place) {
    const path = await send(place, 'GET', encodedPath, {});
    const upload = await send(place, 'PUT', '/nuget', {
      'content-length': String(place.config.maxPackageBytes),
      // Nothing is sent: whoever refuses so many bytes does so when it reads the head.
      expect: '100-continue',
    });
    return judgeProxy({ path, upload, maxBytes: place.config.maxPackageBytes });
  },
};

/** The server repeats it as it read it: with a slash that parts nothing, and a plus that is no blank. */
const encodedPath = '/m/doctor%2Fpath%2Bplus';
const readPath = 'doctor/path+plus';

export type Reply = { readonly status: number; readonly phrase: string; readonly text: string };
export type ProxyFacts = {
  readonly path: Reply | undefined;
  /** Without a key; undefined: there was no answer. */
  readonly upload: Reply | undefined;
  readonly maxBytes: number;
};

export function judgeProxy({ path, upload, maxBytes }: ProxyFacts): Finding {
  const page = 'docs/operate/proxies.md has what works for nginx, Caddy and IIS';
  if (path === undefined || !path.text.includes(`manifest for ${readPath} `))
    return failed(
      `an address with %2F and %2B does not arrive as it was sent (${path === undefined ? 'no answer' : `status ${path.status}`})`,
      `let the proxy pass addresses on unchanged: ${page}`,
    );
  if (upload === undefined)
    return warn(
      'the answer to an upload does not come before its end, as far as can be told within some seconds',
      `let the proxy pass uploads on at once, unbuffered: ${page}`,
    );
  if (upload.status === 413)
    return failed(
      `uploads of ${printBytes(maxBytes)} (MAX_PACKAGE_BYTES) are refused before they reach the server`,
      `raise the proxy's limit for bodies (nginx: client_max_body_size 0), or lower MAX_PACKAGE_BYTES: ${page}`,
    );
  if (upload.status !== 401)
    return failed(
      `PUT does not reach the server: status ${upload.status} instead of the question for a key`,
      `let the proxy pass PUT and DELETE on (IIS: remove WebDAV): ${page}`,
    );
  const phrases = upload.phrase.startsWith('This needs an API key')
    ? ''
    : '; reason phrases are not, so choco shows only the number of a refusal';
  return ok(`encoded addresses and uploads of ${printBytes(maxBytes)} are passed on${phrases}`);
}

const answerMs = 4_000;
const maxBytes = 64 * 1024;

/** Undefined: nobody answered in time. */
function send(
  { publicUrl, signal }: Place,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Reply | undefined> {
  const request = publicUrl.startsWith('https:') ? requestTls : requestPlain;
  return new Promise((resolve) => {
    const sent = request(new URL(`${publicUrl}${path}`), {
      method,
      headers,
      signal,
      rejectUnauthorized: false,
      agent: false,
    });
    const end = (reply: Reply | undefined): void => {
      clearTimeout(timer);
      resolve(reply);
      sent.destroy();
    };
    const timer = setTimeout(() => end(undefined), answerMs);
    sent.once('error', () => end(undefined));
    sent.once('response', (answer) => {
      let text = '';
      const reply = () => end({ status: answer.statusCode ?? 0, phrase: answer.statusMessage ?? '', text });
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > maxBytes) reply();
      });
      answer.once('end', reply).once('close', reply);
    });
    if (headers.expect === undefined) sent.end();
    else sent.flushHeaders();
  });
}
