import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';

/** A list of 1,000 objects has half a megabyte. */
const maxTextBytes = 8 * 1024 ** 2;

/**
 * Limits what the SDK reads to its end before it returns, which is everything but the bytes of an object: it would wait for ever, and
 * keep whatever comes.
 */
export function limitTexts({ middlewareStack }: Pick<S3Client, 'middlewareStack'>, silentMs: number): void {
  middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        const response = answer.response as { readonly statusCode: number; body: unknown };
        const isObject = commandName === 'GetObjectCommand' && response.statusCode < 300;
        if (!isObject && response.body instanceof Readable)
          response.body = Readable.from(limited(response.body, silentMs), { objectMode: false });
        return answer;
      },
    // Before the answer is read.
    { step: 'deserialize', priority: 'low', name: 'limitTexts' },
  );
}

async function* limited(body: Readable, silentMs: number): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  for await (const piece of watched(body, silentMs)) {
    bytes += piece.length;
    if (bytes > maxTextBytes) throw new Error(`an answer of more than ${maxTextBytes} bytes`);
    yield piece;
  }
}

/** Only the time is counted that the store needs for the next piece, not that of a slow reader. */
export async function* watched(body: Readable, silentMs: number): AsyncGenerator<Buffer, void, undefined> {
  const pieces = body.iterator({ destroyOnReturn: true });
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(new Error(`no byte for ${silentMs} ms`)), silentMs);
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    body.destroy();
  }
}
