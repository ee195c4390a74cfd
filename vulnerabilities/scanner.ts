import { fail } from '../errors/release-error.ts';
import type { Program } from '../formats/go-buildinfo.ts';
import type { Architecture } from '../formats/release-record.ts';
import type { Cache } from '../system/cache/cache.ts';
import { onceEach } from '../system/once-each.ts';
import { type DatabaseTree, openDatabase } from './database.ts';
import { gapOfExe, gapOfMissing, gapOfModule, isGap, remedyOf } from './gaps.ts';
import { findingInWords } from './in-words.ts';
import { type Finding, findVulnerabilities } from './match.ts';
import { type Composition, compose, composeOwn, ownModule, type Release } from './modules.ts';
import { type Judged, judge, type Policy, readPolicy } from './policy.ts';
import { openTree, type WebTreeSettings } from './web-tree.ts';

/** The known vulnerabilities of a release, all its exes together. */
export type ScanResult = {
  readonly findings: readonly Finding[];
  /** Modules of unknown version. */
  readonly unknown: readonly string[];
  /** What could not be looked up, each as an entry for the policy: it may hide anything. */
  readonly gaps: readonly Finding[];
};

export type Scanner = NonNullable<Awaited<ReturnType<typeof createScanner>>>;

export type ScannerSettings = Omit<WebTreeSettings, 'dir'> & {
  readonly cache: Cache;
  readonly config: { readonly vulnDb: string | undefined; readonly policyFile: string | undefined };
  readonly now: () => Date;
  /** The database in the bundle; VULN_DB takes precedence. */
  readonly bundledDatabase?: DatabaseTree | undefined;
};

/** Looks programs up in VULN_DB and judges by POLICY_FILE. Undefined without a database. The database is opened when it is first needed. @throws ReleaseError SETTINGS_INVALID */
export async function createScanner(settings: ScannerSettings) {
  const { config, now, bundledDatabase } = settings;
  const { vulnDb, policyFile } = config;
  const open =
    vulnDb === undefined
      ? bundledDatabase && (() => Promise.resolve(bundledDatabase))
      : () => openTree(vulnDb, settings);
  if (open === undefined) return undefined;
  const policy = policyFile === undefined ? undefined : await readPolicy(policyFile);
  const database = onceEach(
    () => '',
    async () => openDatabase(await open()),
  );
  const lookAt = async (compositions: readonly Composition[]): Promise<ScanResult> => {
    const found = new Map<string, Finding>();
    for (const one of compositions) {
      const entries = await (await database()).entriesFor(one.modules);
      for (const finding of findVulnerabilities(one, entries, now())) {
        found.set(`${finding.id} ${finding.module} ${finding.found}`, finding);
      }
    }
    const unknown = [...new Set(compositions.flatMap((one) => one.unknown))].sort();
    return {
      findings: [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => finding),
      unknown,
      gaps: unknown.map(gapOfModule),
    };
  };
  const judgeOne = (tool: string) => (finding: Finding) => judge(finding, tool, policy, now());
  /** Without a policy they are reported and refuse nothing. */
  const judgeGaps = ({ gaps }: ScanResult, tool: string): readonly Judged[] =>
    policy === undefined
      ? gaps.map((gap) => ({ ...gap, verdict: 'below', because: 'there is no policy for it' }))
      : gaps.map(judgeOne(tool));
  return {
    /** When the database was last changed. @throws ReleaseError VULN_DB_* */
    modified: async () => (await database()).modified,
    /**
     * An exe without build info is looked up by the tool's own module alone.
     * @param release for that, and for a main module that says `(devel)`
     * @param missing exes of the release that could not be downloaded
     * @throws ReleaseError VULN_DB_*
     */
    async scan(
      programs: readonly Program[],
      release: Release,
      missing: readonly Architecture[] = [],
    ): Promise<ScanResult> {
      const own = ownModule(release);
      // a package without its exe reveals no more than an exe without build info
      const infos = programs.length === 0 ? [undefined] : programs.map(({ info }) => info);
      const scan = await lookAt(
        infos.map((info) => (info === undefined ? composeOwn(own) : compose(info, release.version))),
      );
      const isSilent = infos.some((info) => info === undefined);
      const ofExes = [
        ...(isSilent ? [gapOfExe(own)] : []),
        ...missing.map((architecture) => gapOfMissing(own, architecture)),
      ];
      return { ...scan, gaps: [...ofExes, ...scan.gaps] };
    },
    /** Modules that something else names: an SBOM, a toolchain. @throws ReleaseError VULN_DB_* */
    scanModules: (composition: Composition) => lookAt([composition]),
    /** Its own module alone, for a release that is not here yet. @throws ReleaseError VULN_DB_* */
    scanModule: (release: Release) => lookAt([composeOwn(ownModule(release))]),
    judge: ({ findings }: ScanResult, tool: string): readonly Judged[] => findings.map(judgeOne(tool)),
    judgeGaps,
    /** @throws ReleaseError VULNERABLE when there is a policy and it refuses one of them */
    require(scan: ScanResult, tool: string, version: string): void {
      if (policy === undefined) return;
      const judged = [...scan.findings, ...scan.gaps].map(judgeOne(tool));
      const refused = judged.filter(({ verdict }) => verdict === 'refused');
      if (refused.length > 0) refuse(refused, tool, version, policy);
    },
  };
}

const maxNamed = 5;

function refuse(refused: readonly Judged[], tool: string, version: string, policy: Policy): never {
  const named = refused.slice(0, maxNamed).map(findingInWords);
  const more = refused.length > maxNamed ? [`and ${refused.length - maxNamed} more`] : [];
  const isStdlib = refused.some(({ module }) => module === 'stdlib');
  const newer = isStdlib ? 'a version (or, for one built here, a toolchain)' : 'a version';
  const instead = refused.every(isGap) ? remedyOf(refused) : `Release ${newer} that has the fixes`;
  fail('VULNERABLE', {
    tool,
    version,
    policy: policy.file,
    findings: [...named, ...more].join('; '),
    hint: `${instead}, or allow the ids in that file, with reason and until.`,
  });
}
