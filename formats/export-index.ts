import * as z from 'zod';
import { jsonOf } from './json.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Sha512 = z.string().regex(/^[0-9a-f]{128}$/);

/** `index.json` in a folder written by `feed:export`: describes the other files, for any program. */
export const ExportIndex = z.object({
  kind: z.literal('go-win-tools export'),
  format: z.literal(1),
  /** The version of the program that wrote it. */
  program: z.string(),
  time: z.iso.datetime(),
  /** False while the first export into the folder is running, or after it was interrupted. */
  complete: z.boolean(),
  packages: z.array(
    z.object({
      /** In the feed's casing. */
      id: z.string(),
      version: z.string(),
      listed: z.boolean(),
      published: z.iso.datetime(),
      sha256: Sha256,
      /** Lower-case hex; a feed's PackageHash is the base64 form. */
      sha512: Sha512,
      /** In bytes. */
      size: z.int().min(0),
      /** Relative to the folder. */
      file: z.string(),
    }),
  ),
  payloads: z.array(
    z.object({
      tool: z.string(),
      version: z.string(),
      sha256: Sha256,
      size: z.int().min(0),
      /** `dl/TOOL/VERSION/FILE` */
      file: z.string(),
    }),
  ),
  /** The Scoop bucket, for `git clone`; null when only some ids were exported. */
  bucket: z.string().nullable(),
});
export type ExportIndex = z.infer<typeof ExportIndex>;

export const exportIndexName = 'index.json';

/** Undefined when the text is not an index of an export, or of a format that this program does not know. */
export function readExportIndex(text: string): ExportIndex | undefined {
  return ExportIndex.safeParse(jsonOf(text)).data;
}
