import * as z from 'zod';
import { jsonOf } from '../../formats/json.ts';
import { fail } from '../errors.ts';

/**
 * A backup is a tar (gzipped when its name ends in .tgz or .gz) of plain files in this order:
 *
 *     backup.json             the manifest below
 *     bucket.bundle           the bucket: a git bundle
 *     catalog.db              packages, payloads, keys (hashed): a SQLite file of one moment
 *     blobs/ab/cd/SHA256      every blob that a row names
 *
 * It holds no start.key and no server.json: keys that could be used are not in it.
 */
export const BackupManifest = z.strictObject({
  kind: z.literal('go-win-tools backup'),
  format: z.literal(1),
  /** Of the program that wrote it. */
  program: z.string().max(100),
  time: z.iso.datetime(),
  counts: z.strictObject({ packages: z.number(), payloads: z.number(), keys: z.number() }),
  /** Branches and tags of the bucket. */
  refs: z.record(
    z.string().regex(/^refs\/(heads|tags)\/[^\s\\:*?<>|"]+$/),
    z.string().regex(/^[0-9a-f]{40}$/),
  ),
  /** All files after this one, in order. */
  members: z.array(
    z.strictObject({
      path: z.string().regex(/^(bucket\.bundle|catalog\.db|blobs\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{64})$/),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      sizeBytes: z.int().min(0),
    }),
  ),
  /** Blobs that were already damaged and were left out. */
  missing: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});
export type BackupManifest = z.infer<typeof BackupManifest>;
export type BackupMember = BackupManifest['members'][number];

export const manifestName = 'backup.json';
export const maxManifestBytes = 1024 ** 3;

export function blobMember(sha256: string): string {
  return `blobs/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}

/** @throws FeedError BACKUP_NEWER, BACKUP_INVALID */
export function readManifest(file: string, text: string): BackupManifest {
  const json = jsonOf(text);
  const newer = z.looseObject({
    kind: z.literal('go-win-tools backup'),
    format: z.number(),
    program: z.string(),
  });
  const header = newer.safeParse(json);
  if (header.success && header.data.format > 1) {
    const { format, program } = header.data;
    fail('BACKUP_NEWER', { file, found: format, known: 1, program });
  }
  const read = BackupManifest.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    const problem = `its ${manifestName} is not understood (${issue?.path.join('.')}: ${issue?.message})`;
    return fail('BACKUP_INVALID', { file, problem });
  }
  const problem = problemOf(read.data);
  return problem === undefined ? read.data : fail('BACKUP_INVALID', { file, problem });
}

function problemOf({ members }: BackupManifest): string | undefined {
  const paths = new Set(members.map(({ path }) => path));
  if (paths.size !== members.length) return 'it names a file twice';
  if (!paths.has('catalog.db') || !paths.has('bucket.bundle')) return 'database or bucket are missing';
  const lying = members.find(({ path, sha256 }) => path.startsWith('blobs/') && path !== blobMember(sha256));
  return lying && `${lying.path} is not named by its SHA-256`;
}
