import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { fail } from '../../errors/release-error.ts';
import { printReleaseRecord } from '../../formats/release-record.ts';
import { openOutFile } from '../../system/out.ts';
import { openTree } from '../../vulnerabilities/web-tree.ts';
import { takeVerified } from '../build/recipe.ts';
import { packagingOf } from '../build/render/packaging.ts';
import { renderRecord } from '../build/render/release-record.ts';
import { copyDatabase } from '../sources/bundle/database.ts';
import { type BundleContent, bundleSchema } from '../sources/bundle/format.ts';
import { loadOrMakeKey } from '../sources/bundle/key.ts';
import { type BundlePart, partOf, rootsOf } from '../sources/bundle/parts.ts';
import { type BundleFile, writeBundle } from '../sources/bundle/write-bundle.ts';
import { findNewest, findVersion } from '../sources/find-source.ts';
import { loadTemplates } from '../tool-file/templates.ts';
import { type ReleaseFlags, upstreamReleases } from './flags.ts';
import { chooseSources, type SourceOptions } from './plan/beta-decision.ts';
import { type Request, readRequests, requireUpstreamVersion } from './run/request.ts';
import { asReleaseError, attempt, beginRun, endRun } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import type { VerbToolkit } from './run/toolkit.ts';

export type BundleOptions = SourceOptions & { readonly out: string; readonly keyFile: string };

/**
 * Fetches and verifies each tool, and writes all of it into one signed file; when one fails, none is written.
 * @throws ReleaseError SETTINGS_INVALID, VULN_DB_*, MACHINE_FAILED, INTERRUPTED; Ended
 */
export async function createBundle(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: BundleOptions,
): Promise<void> {
  const { report } = toolkit;
  const key = await loadOrMakeKey(options.keyFile);
  const run = beginRun(toolkit);
  const parts: BundlePart[] = [];
  for (const request of requests) {
    const part = await attempt(run, request.tool.tool, () => take(request, options, toolkit));
    // `buf buf@1.72.0` may mean the same release
    const isTaken = parts.some(({ release }) => release.record === part?.release.record);
    if (part !== undefined && !isTaken) parts.push(part);
  }
  endRun({ outcomes: [], failures: run.failures });

  const roots = await rootsOf(requests.map(({ tool }) => tool));
  const content: BundleContent = {
    schema: bundleSchema,
    releases: parts.map(({ release }) => release),
    roots: roots.map(({ path }) => path),
  };
  const files = [...parts.flatMap((part) => part.files), ...roots, ...(await knownVulnerabilities(toolkit))];
  await writeBundle(options.out, content, files, key, toolkit.signal).catch((error: unknown) => {
    if (toolkit.signal.aborted) fail('INTERRUPTED', { state: 'no bundle was made' }, error);
    throw asReleaseError(options.out, error);
  });
  for (const { release } of parts) {
    const { tool, version, upstream } = release;
    report.outcome({ tool, version, kind: 'made', detail: `${upstream} is in ${options.out}` });
  }
  const made = key.isNew ? ` (a new key, made in ${options.keyFile}: keep it)` : '';
  report.step('bundle', 'signed', `the other side accepts it with BUNDLE_KEY=${key.publicKey}${made}`);
}

async function take(request: Request, options: BundleOptions, toolkit: VerbToolkit): Promise<BundlePart> {
  const { tool } = request;
  const asked = requireUpstreamVersion(request);
  const choice = chooseSources(tool, options.sources, options, toolkit);
  const found = await (asked === undefined ? findNewest(tool, choice) : findVersion(tool, asked, choice));
  const onStep = (step: string): void => toolkit.report.step(tool.tool, step, found.upstream);
  const { unpacked, verdicts } = await takeVerified(found, toolkit, onStep, true);
  const packaging = packagingOf(tool, await loadTemplates(toolkit, tool));
  const record = renderRecord(unpacked, verdicts, found.version, packaging);
  return partOf(unpacked, printReleaseRecord(record));
}

/** A copy of VULN_DB, when it is set. */
async function knownVulnerabilities(toolkit: VerbToolkit): Promise<readonly BundleFile[]> {
  const { vulnDb } = toolkit.config;
  if (vulnDb === undefined) return [];
  const tree = await openTree(vulnDb, toolkit);
  const files = await copyDatabase(tree, (done, total) =>
    toolkit.report.progress('bundle', 'known vulnerabilities (files)', done, total),
  );
  toolkit.report.step(
    'bundle',
    'known',
    `the vulnerability database with ${files.length - 2} entries is included`,
  );
  return files;
}

type Flags = ReleaseFlags & { readonly key?: string };

export const createCommand = verb<Flags>({
  name: 'bundle:create',
  description:
    'Fetches and verifies releases, and writes them with their evidence into one signed file, for machines without a network (release:beta --from).',
  argument: upstreamReleases,
  options: [
    new Option('--out <file>', 'the bundle').makeOptionMandatory(),
    new Option(
      '--key <file>',
      'the key that signs it (PEM, Ed25519), made if it does not exist (default: bundle.key in DATA_DIR)',
    ),
  ],
  flags: ['source', 'maxWait', 'json', 'quiet'],
  settings: 'upstream',
  examples: [
    'bundle:create --out tools.bundle                         all tools, newest versions',
    'bundle:create delve@1.22.0 buf --out tools.bundle        that version of delve, the newest of buf',
    'bundle:create buf --out b.bundle --key /srv/bundle.key   another key',
  ],
  async run({ args, flags, tools, invocation: { cwd } }, toolkit) {
    const out = await openOutFile(cwd, flags.out ?? '');
    const { dataDir } = toolkit.config;
    const keyFile = flags.key === undefined ? join(dataDir, 'bundle.key') : resolve(cwd, flags.key);
    await createBundle(toolkit, readRequests(args, tools), { sources: flags.source, out, keyFile });
  },
});
