import { open, readFile, rename } from 'node:fs/promises';
import * as z from 'zod';
import { fileReason } from '../../formats/file-reason.ts';
import { jsonOf } from '../../formats/json.ts';
import type { Place } from '../audit/follow.ts';
import { fail } from '../errors.ts';

const State = z.object({
  audit: z.object({ number: z.int().min(0), hash: z.string().optional() }),
  refusals: z.int().min(0),
});

/** Where an earlier run stopped; undefined: there was none. @throws FeedError FOLLOW_STATE */
export async function readFollowState(file: string | undefined): Promise<Place | undefined> {
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return fail('FOLLOW_STATE', { file, cause: fileReason(error) });
  }
  const read = State.safeParse(jsonOf(text));
  return read.success ? read.data : fail('FOLLOW_STATE', { file, cause: 'it is not a file of this verb' });
}

/** Whole or not at all. @throws FeedError FOLLOW_STATE */
export async function writeFollowState(file: string | undefined, place: Place): Promise<void> {
  if (file === undefined) return;
  const part = `${file}.part`;
  try {
    const handle = await open(part, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(place)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (error) {
    fail('FOLLOW_STATE', { file, cause: fileReason(error) });
  }
}
