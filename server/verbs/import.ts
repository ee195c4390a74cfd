import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { withTempDir } from '../../formats/scoped.ts';
import type { Invocation } from '../../invocation.ts';
import { importOf, operator } from '../audit/audit.ts';
import { type ImportTarget, importPackages } from '../feed/import.ts';
import { choosePackages } from '../feed/import-choice.ts';
import { reservationsOf } from '../feed/reserved-ids.ts';
import { createFolderSource } from '../import/folder.ts';
import { openFeedSource } from '../import/open-source.ts';
import { isSkipped, type RemotePackage, type Source } from '../import/source.ts';
import { createWeb, shown } from '../import/web.ts';
import { importIntoData } from './import-into-data.ts';
import { importIntoServer } from './import-into-server.ts';
import {
  describeImport,
  type ImportFlags,
  type ImportSource,
  type Login,
  readImportSource,
  readLogin,
  readProxy,
} from './import-options.ts';
import { previewImport } from './import-preview.ts';
import { createImportReport, type ImportReport, lineOfOutcome, lineOfPackage } from './import-report.ts';
import { createProgress } from './progress.ts';
import { withData } from './with-data.ts';

/** The verb `feed:import`: imports another feed or a folder of packages. It may be repeated. */
export function createCommand(invocation: Invocation): Command {
  const command = describeImport(new Command('feed:import'));
  return command.action(async (from: string, flags: ImportFlags) => {
    const place = readImportSource(command, from, invocation.cwd);
    const login = readLogin(command, flags, place, invocation.cwd);
    await withData(invocation, {
      async alone(opened, { maxPackageBytes, reservedIds = [] }) {
        const target = importIntoData(opened, maxPackageBytes);
        const note = (imported: number) =>
          opened.services.audit.record([importOf(nameOf(place), imported)], operator);
        await run({ invocation, place, login, flags, target, note, maxPackageBytes, reservedIds });
      },
      async running(server, { maxPackageBytes, reservedIds: ours = [] }) {
        const reservedIds = [...(server.reservedIds ?? []), ...ours];
        await withTempDir(join(tmpdir(), 'go-win-tools-import-'), async (scratchDir) => {
          const target = importIntoServer(server, scratchDir, maxPackageBytes);
          const note = async (versions: number) => {
            await server.ask('api/v1/imports', { method: 'POST', json: { source: nameOf(place), versions } });
          };
          await run({ invocation, place, login, flags, target, note, maxPackageBytes, reservedIds });
        });
      },
    });
  });
}

type Run = {
  readonly invocation: Invocation;
  readonly place: ImportSource;
  readonly login: Login | undefined;
  readonly flags: ImportFlags;
  readonly target: ImportTarget;
  /** Adds the number of imported versions to the audit log, if it is not 0. */
  readonly note: (versions: number) => Promise<void>;
  readonly maxPackageBytes: number;
  readonly reservedIds: readonly string[];
};

function nameOf(place: ImportSource): string {
  return place.kind === 'feed' ? shown(place.url) : place.dir;
}

/** @throws ImportEnded unless everything was imported, and the errors of the source */
async function run(given: Run): Promise<void> {
  const { stdout, signal } = given.invocation;
  const report = createImportReport(stdout, given.flags.json === true);
  try {
    await takeOver(given, report);
  } catch (error) {
    // An interrupted run can fail in many ways, which are not worth reporting.
    if (!signal.aborted) throw error;
  } finally {
    // However the run ended, these were imported.
    if (report.count('imported') > 0) await given.note(report.count('imported'));
  }
  if (signal.aborted) throw new ImportEnded('Interrupted; the next run goes on from here.', 130);
  const bad = report.count('refused') + report.count('failed');
  if (bad > 0) throw new ImportEnded(`${bad} could not be taken over; the reasons are above.`, 1);
}

/** Lists, decides, imports, reports. */
async function takeOver(
  { invocation, place, login, flags, target, maxPackageBytes, reservedIds }: Run,
  report: ImportReport,
): Promise<void> {
  const { stdout, stderr, signal } = invocation;
  const source = await openSource(invocation, place, login);
  const { chosen: wanted, skipped } = choosePackages(await gather(source, flags, report, invocation), {
    newest: flags.newest,
    withPrereleases: flags.prerelease,
    withUnlisted: flags.unlisted,
  });
  for (const { remote, reason } of skipped) report.add({ kind: 'skipped', reason, ...lineOfPackage(remote) });
  const chosen = withoutReserved(wanted, flags.reserved ? [] : reservedIds, report);
  if (signal.aborted) return;
  // Otherwise a wrong folder or an unmounted share would look like a completed import.
  const isNothing = (['skipped', 'refused', 'failed'] as const).every((kind) => report.count(kind) === 0);
  if (chosen.length === 0 && isNothing) stderr.write(`${nameOf(place)} has no packages.\n`);
  if (flags.dryRun) {
    report.reasons();
    await previewImport(stdout, chosen, target, flags.json === true);
    return;
  }
  const progress = createProgress(stderr, 'Importing', { packages: chosen.length });
  try {
    await importPackages(chosen, target, {
      parallel: flags.parallel ?? (place.kind === 'folder' ? 32 : 8),
      maxBytes: maxPackageBytes,
      signal,
      onOutcome(outcome) {
        progress.step(outcome.sizeBytes ?? 0);
        report.add(lineOfOutcome(outcome));
      },
    });
  } finally {
    progress.stop();
    report.end();
  }
}

/** Whoever runs another feed must not publish, or unlist, under ids that are ours (RESERVED_IDS). */
function withoutReserved(
  packages: readonly RemotePackage[],
  reservedIds: readonly string[],
  report: ImportReport,
): RemotePackage[] {
  return packages.filter((remote) => {
    const [reserved] = reservationsOf(reservedIds, remote.id);
    if (reserved === undefined) return true;
    const reason = `its id is reserved here (RESERVED_IDS has ${reserved}); if these are your own packages, add --reserved`;
    report.add({ kind: 'refused', reason, ...lineOfPackage(remote) });
    return false;
  });
}

async function openSource(
  { env, version, signal }: Invocation,
  place: ImportSource,
  login?: Login,
): Promise<Source> {
  if (place.kind === 'folder') return createFolderSource(place.dir);
  const web = createWeb({ userAgent: `go-win-tools/${version}`, proxy: readProxy(env), login, signal });
  return openFeedSource(web, place.url);
}

async function gather(
  source: Source,
  { id: ids = [] }: ImportFlags,
  report: ImportReport,
  { stderr, signal }: Invocation,
): Promise<RemotePackage[]> {
  const packages: RemotePackage[] = [];
  const progress = createProgress(stderr, 'Reading the source');
  try {
    for await (const item of source.list(ids)) {
      if (signal.aborted) break;
      if (isSkipped(item)) {
        report.add(item);
      } else {
        packages.push(item);
        progress.step(0);
      }
    }
  } finally {
    progress.stop();
  }
  return packages;
}

/** The outcome, after the report was printed. */
class ImportEnded extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'ImportEnded';
    this.exitCode = exitCode;
  }
}
