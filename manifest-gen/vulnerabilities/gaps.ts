import type { Architecture } from '../../formats/release-record.ts';
import type { GoModuleVersion } from '../verify/go-buildinfo.ts';
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
  const summary = 'unknown: no build info, only its own module could be looked up';
  return { ...gap, id: noBuildInfo, module: path, found: version, summary };
}

/** An exe of the release that could not be downloaded and scanned. */
export function gapOfMissing({ path, version }: GoModuleVersion, architecture: Architecture): Finding {
  const summary = `unknown: the ${architecture} exe could not be scanned`;
  return { ...gap, id: noExe, module: path, found: version, summary };
}

/** What to do, besides allowing them in a policy: the beginning of a sentence. */
export function remedyOf(gaps: readonly Pick<Finding, 'id'>[]): string {
  return gaps.every(({ id }) => id === noExe)
    ? 'Upload it where Scoop downloads it'
    : 'Use a source whose exe has build info';
}

/** A module of unknown version. */
export function gapOfModule(path: string): Finding {
  return { ...gap, id: noVersion, module: path, found: '', summary: 'unknown: the module has no version' };
}

const gap = { aliases: [], fixed: undefined, severity: undefined, url: undefined } as const;

/** `NO-BUILD-INFO, github.com/evanw/esbuild v0.28.2: unknown: ...` */
export function gapInWords({ id, module, found, summary }: Finding): string {
  return `${id}, ${`${module} ${found}`.trimEnd()}: ${summary}`;
}
