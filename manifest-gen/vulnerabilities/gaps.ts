import type { GoModuleVersion } from '../verify/go-buildinfo.ts';
import type { Finding } from './match.ts';

/** Ids as the database has them, so that a policy allows them as any other. */
const noBuildInfo = 'NO-BUILD-INFO';
const noVersion = 'NO-VERSION';

export function isGap({ id }: Pick<Finding, 'id'>): boolean {
  return id === noBuildInfo || id === noVersion;
}

export function isOpaque(gaps: readonly Finding[]): boolean {
  return gaps.some(({ id }) => id === noBuildInfo);
}

/** An exe says nothing of what it is made of. It is no vulnerability, but nobody can say that there is none either. */
export function gapOfExe({ path, version }: GoModuleVersion): Finding {
  const summary = 'unknown: no build info, only its own module could be looked up';
  return { ...gap, id: noBuildInfo, module: path, found: version, summary };
}

/** A module whose version nobody knows. */
export function gapOfModule(path: string): Finding {
  return { ...gap, id: noVersion, module: path, found: '', summary: 'unknown: the module has no version' };
}

const gap = { aliases: [], fixed: undefined, severity: undefined, url: undefined } as const;

/** `NO-BUILD-INFO, github.com/evanw/esbuild v0.28.2: unknown: ...` */
export function gapInWords({ id, module, found, summary }: Finding): string {
  return `${id}, ${`${module} ${found}`.trimEnd()}: ${summary}`;
}
