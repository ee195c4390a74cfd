import type { GoModuleVersion } from '../formats/go-buildinfo.ts';
import type { Architecture } from '../formats/release-record.ts';
import type { Finding } from './match.ts';

/** Ids as the database has them, so that a policy allows them as any other. */
const noBuildInfo = 'NO-BUILD-INFO';
const noVersion = 'NO-VERSION';
const noExe = 'NO-EXE';

export function isGap({ id }: Pick<Finding, 'id'>): boolean {
  return id === noBuildInfo || id === noVersion || id === noExe;
}

/** For a whole exe whose other modules are unknown. */
export function isOfExe({ id }: Pick<Finding, 'id'>): boolean {
  return id === noBuildInfo || id === noExe;
}

export function isOpaque(gaps: readonly Finding[]): boolean {
  return gaps.some(({ id }) => id === noBuildInfo);
}

/** An exe without build info. It is not a vulnerability, but may hide some. */
export function gapOfExe({ path, version }: GoModuleVersion): Finding {
  return gap(noBuildInfo, path, version, 'no build info, only its own module could be looked up');
}

/** An exe of the release that could not be downloaded and scanned. */
export function gapOfMissing({ path, version }: GoModuleVersion, architecture: Architecture): Finding {
  return gap(noExe, path, version, `the ${architecture} exe could not be scanned`);
}

/** What to do, besides allowing them in a policy: the beginning of a sentence. */
export function remedyOf(gaps: readonly Pick<Finding, 'id'>[]): string {
  return gaps.every(({ id }) => id === noExe)
    ? 'Upload it where Scoop downloads it'
    : 'Use a source whose exe has build info';
}

/** A module of unknown version. */
export function gapOfModule(path: string): Finding {
  return gap(noVersion, path, '', 'the module has no version');
}

function gap(id: string, module: string, found: string, why: string): Finding {
  const nothing = { aliases: [], fixed: undefined, severity: undefined, url: undefined };
  return { ...nothing, id, module, found, summary: `unknown: ${why}` };
}
