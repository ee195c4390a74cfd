import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Cache } from '../../system/cache/cache.ts';
import { makeWhole } from '../../system/whole-file.ts';

/** A page of JSON as a forge gave it, and the ETag under which it knows it, verbatim: weak ones too (spec upstream 2). */
const KeptAnswer = z.object({ etag: z.string().min(1), link: z.string().optional(), text: z.string() });
export type KeptAnswer = z.infer<typeof KeptAnswer>;

/**
 * Answers that may still be true. Asked with If-None-Match, GitHub says 304 where they are, which costs nothing of the
 * rate limit. One page is one answer: every page of a list has an ETag of its own.
 */
export type KeptAnswers = {
  find(url: string): Promise<KeptAnswer | undefined>;
  keep(url: string, answer: KeptAnswer): Promise<void>;
};

/** `token` separates the answers of different permissions: a private repository is only for those who may read it. */
export function createKeptAnswers(cache: Pick<Cache, 'answer'>, token: string | undefined): KeptAnswers {
  const reader = createHash('sha256')
    .update(token ?? '')
    .digest('hex');
  const fileOf = async (url: string): Promise<string> =>
    join(await cache.answer(`${reader} ${url}`), 'answer.json');

  return {
    async find(url) {
      const text = await readFile(await fileOf(url), 'utf8').catch(() => '');
      try {
        return KeptAnswer.parse(JSON.parse(text));
      } catch {
        // missing or damaged: it is requested again
        return undefined;
      }
    },
    async keep(url, answer) {
      const text = JSON.stringify(answer);
      await makeWhole(await fileOf(url), (part) => writeFile(part, text, { mode: 0o600 }));
    },
  };
}
