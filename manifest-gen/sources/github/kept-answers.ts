import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { digestBytes } from '../../../formats/digest.ts';
import { makeWhole, readKept } from '../../../formats/whole-file.ts';
import type { Cache } from '../../../system/cache/cache.ts';

/** A page of JSON as a forge gave it, and the ETag under which it knows it, verbatim: weak ones too (spec upstream 2). */
const KeptAnswer = z.object({ etag: z.string().min(1), link: z.string().optional(), text: z.string() });
export type KeptAnswer = z.infer<typeof KeptAnswer>;

export type KeptAnswers = ReturnType<typeof createKeptAnswers>;

/**
 * Answers that may still be true. Asked with If-None-Match, GitHub says 304 where they are, which costs nothing of the
 * rate limit. One page is one answer: every page of a list has an ETag of its own.
 * @param token separates the answers of different permissions: a private repository is only for those who may read it
 */
export function createKeptAnswers(cache: Pick<Cache, 'answer'>, token: string | undefined) {
  const reader = digestBytes(Buffer.from(token ?? '')).sha256;
  const fileOf = async (url: string): Promise<string> =>
    join(await cache.answer(`${reader} ${url}`), 'answer.json');
  return {
    find: async (url: string) => readKept(await fileOf(url), KeptAnswer),
    async keep(url: string, answer: KeptAnswer): Promise<void> {
      const text = JSON.stringify(answer);
      await makeWhole(await fileOf(url), (part) => writeFile(part, text, { mode: 0o600 }));
    },
  };
}
