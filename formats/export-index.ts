import { z } from 'zod';
import { jsonOf } from './json.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Sha512 = z.string().regex(/^[0-9a-f]{128}$/);

/** `index.json` of a folder that `feed:export` wrote: what the files beside it are, for programs of any make. */
export const ExportIndex = z.object({
  kind: z.literal('go-win-tools export'),
  format: z.literal(1),
  /** Of the program that wrote it. */
  program: z.string(),
  time: z.iso.datetime(),
  /** False while the first export into the folder runs or when it was interrupted. */
  complete: z.boolean(),
  packages: z.array(
    z.object({
      /** In the feed's casing. */
      id: z.string(),
      version: z.string(),
      listed: z.boolean(),
      published: z.iso.datetime(),
      sha256: Sha256,
      /** Lower-case hex; PackageHash of a feed is its base64 form. */
      sha512: Sha512,
      /** Bytes. */
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

/** Undefined when the text is no index of an export that this program knows. */
export function readExportIndex(text: string): ExportIndex | undefined {
  return ExportIndex.safeParse(jsonOf(text)).data;
}
