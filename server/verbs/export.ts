import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type ExportIndex, exportIndexName, readExportIndex } from '../../formats/export-index.ts';
import { fileReason } from '../../formats/file-reason.ts';
import { makeDir } from '../../formats/make-dir.ts';
import type { Invocation } from '../../invocation.ts';
import { openRepository, writeBundle } from '../bucket/git-bundle.ts';
import { loadConfig } from '../config.ts';
import { fail } from '../errors.ts';
import { type ExportResult, exportFiles } from '../feed/export.ts';
import { type ExportPlan, planExport } from '../feed/export-plan.ts';
import { syncTree } from '../feed/restore.ts';
import { openReading, type Reading } from '../reading.ts';
import { asSpaceError, requireSpace } from './disk-space.ts';
import { interruptible } from './interruptible.ts';
import { clearLeftovers } from './leftovers.ts';
import { printBytes } from './print.ts';
import { withProgress } from './progress.ts';

type Flags = { readonly id: readonly string[]; readonly json: boolean };

/** The verb `feed:export`: plain files, so that nobody is locked in. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:export')
    .description('Writes every package as a plain nupkg file, with payloads, bucket and an index.')
    .argument('<dir>', 'a new folder, or one with an earlier export: then only new files are written')
    .option('--id <id...>', 'only these packages, and the payloads of the tools of that name', [])
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', help)
    .action((dir: string, flags: Flags) => exportFeed(invocation, resolve(invocation.cwd, dir), flags));
}

const help = `
DIR/ID.VERSION.nupkg      listed or not; any NuGet client takes the folder as a source
DIR/dl/TOOL/VERSION/FILE  payloads
DIR/bucket.bundle         the Scoop bucket: git clone DIR/bucket.bundle
DIR/index.json            id, version, listed, published, sha512, size, file of each

Works with or without a running server. It overwrites only files of earlier exports, and deletes nothing.`;

async function exportFeed(invocation: Invocation, dir: string, { id, json }: Flags): Promise<void> {
  const config = loadConfig(invocation.env);
  const { stdout, stderr, signal, version } = invocation;
  const earlier = await openFolder(dir);
  const part = join(dir, '.part');
  await clearLeftovers(part, /^(\d+|bucket\.bundle|catalog\.db(-\w+)?|index\.json)$/);
  const bucket = id.length === 0 ? 'bucket.bundle' : null;
  if (bucket !== null) await requireOurs(join(dir, bucket), earlier);
  const reading = await openReading(config, invocation.env);
  try {
    await mkdir(part, { mode: 0o700 });
    const header = {
      kind: 'go-win-tools export',
      format: 1,
      program: version,
      time: new Date().toISOString(),
    } as const;
    const state = 'the files in the folder are whole; run it again for the rest.';
    const { plan, bytes, result } = await interruptible(signal, state, async () => {
      if (earlier === undefined) {
        await writeIndex(dir, part, { ...header, complete: false, packages: [], payloads: [], bucket: null });
      }
      // Bucket before database, as in a backup: so every payload that a manifest names is exported.
      if (bucket !== null)
        await writeBundle(openRepository(await reading.openBucket(), invocation), join(part, bucket));
      return writeFiles(invocation, reading, dir, { part, earlier, ids: id });
    });
    if (bucket !== null) await rename(join(part, bucket), join(dir, bucket));
    const bad = new Set(result.damaged.map(({ path }) => path));
    const isThere = ({ file }: { readonly file: string }): boolean => !bad.has(file);
    const packages = plan.packages.filter(isThere);
    const payloads = plan.payloads.filter(isThere);
    await writeIndex(dir, part, { ...header, complete: true, packages, payloads, bucket });
    await rm(part, { recursive: true });
    await syncTree(dir);
    for (const { path, problem } of result.damaged) stderr.write(`${path}: ${problem}\n`);
    stdout.write(
      json
        ? `${JSON.stringify({ dir, bytes, packages: packages.length, payloads: payloads.length, ...result })}\n`
        : told(dir, bytes, packages.length, payloads.length, result),
    );
    if (bad.size > 0) fail('EXPORT_INCOMPLETE', { count: bad.size });
    if (plan.unknown.length > 0) fail('EXPORT_UNKNOWN', { ids: plan.unknown.join(', ') });
  } catch (error) {
    throw asSpaceError(error, dir);
  } finally {
    await reading.close();
    await rm(part, { recursive: true, force: true });
  }
}

/** Writes the files of packages and payloads, each completely or not at all. */
async function writeFiles(
  { stderr, signal }: Invocation,
  reading: Reading,
  dir: string,
  {
    part,
    earlier,
    ids,
  }: { readonly part: string; readonly earlier: ExportIndex | undefined; readonly ids: readonly string[] },
): Promise<{ plan: ExportPlan; bytes: number; result: ExportResult }> {
  const snapshot = await reading.takeSnapshot(join(part, 'catalog.db'));
  let plan: ExportPlan;
  try {
    plan = await planExport(snapshot, ids);
  } finally {
    await snapshot.close();
  }
  const bytes = plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await requireSpace(dir, missingBytes(plan, earlier));
  const choice = { part, earlier: hashesOf(earlier), signal };
  const result = await withProgress(stderr, 'Exporting', { bytes }, (onProgress) =>
    exportFiles(dir, plan.files, reading.blobs, { ...choice, onProgress }),
  );
  return { plan, bytes, result };
}

/** Returns the index of an earlier export. @throws FeedError EXPORT_FOREIGN, FILE_UNUSABLE */
async function openFolder(dir: string): Promise<ExportIndex | undefined> {
  try {
    await makeDir(dir);
    const names = (await readdir(dir)).filter((name) => name !== '.part');
    if (names.length === 0) return undefined;
    const text = names.includes(exportIndexName) ? await readFile(join(dir, exportIndexName), 'utf8') : '';
    return readExportIndex(text) ?? fail('EXPORT_FOREIGN', { path: dir });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !('path' in error)) throw error;
    return fail('FILE_UNUSABLE', { file: dir, cause: fileReason(error) }, error);
  }
}

/** If the earlier export's index names no bundle, this one is somebody else's. @throws FeedError EXPORT_FOREIGN */
async function requireOurs(bundle: string, earlier: ExportIndex | undefined): Promise<void> {
  const mayBeOurs = earlier === undefined || !earlier.complete || earlier.bucket !== null;
  if (!mayBeOurs && (await stat(bundle).catch(() => undefined)) !== undefined)
    fail('EXPORT_FOREIGN', { path: bundle });
}

function hashesOf(index: ExportIndex | undefined): ReadonlyMap<string, string> {
  const all = [...(index?.packages ?? []), ...(index?.payloads ?? [])];
  return new Map(all.map(({ file, sha256 }) => [file, sha256]));
}

function missingBytes({ files }: ExportPlan, earlier: ExportIndex | undefined): number {
  const known = hashesOf(earlier);
  return files.reduce(
    (sum, { path, sha256, sizeBytes }) => (known.get(path) === sha256 ? sum : sum + sizeBytes),
    0,
  );
}

async function writeIndex(dir: string, part: string, index: ExportIndex): Promise<void> {
  const draft = join(part, exportIndexName);
  const file = await open(draft, 'w');
  try {
    await file.writeFile(`${JSON.stringify(index, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(dir, exportIndexName));
}

function told(
  dir: string,
  bytes: number,
  packages: number,
  payloads: number,
  { written, kept }: ExportResult,
): string {
  return `${dir}: ${packages} packages, ${payloads} payloads, ${printBytes(bytes)}; ${written} files written, ${kept} unchanged.\n`;
}
