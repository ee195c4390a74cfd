import type { GoModule, Verdict } from '../release.ts';

/** The go command compared the module with the checksum database while it built; switched off on this machine, that is `absent`. */
export function checkSumdb(module: GoModule): Verdict {
  const subject = `${module.module}@${module.version}`;
  if (!module.isSumChecked) {
    return { kind: 'sumdb', verdict: 'absent', subject, detail: 'The Go checksum database was not asked.' };
  }
  return {
    kind: 'sumdb',
    verdict: 'passed',
    subject,
    detail: `The Go checksum database has the module as ${module.sum}.`,
  };
}
