import { open } from 'node:fs/promises';
import semver from 'semver';
import type { Found, GoModule, UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-file.ts';
import { ruleFor } from '../tool-file/version-rules.ts';
import { type GoBuildInfo, readGoBuildInfo } from './go-buildinfo.ts';

/**
 * Does the Go build info in the exe name the module that the tool's file names for this version? No record or no version in it is
 * `absent` (spec upstream 6: buf's says `(devel)`), another module, version or sum `failed`.
 */
export async function checkBuildInfo({ tool, version }: Found, exe: UnpackedExe): Promise<Verdict> {
  const file = await open(exe.path, 'r');
  try {
    const judged = judgeBuildInfo(
      await readGoBuildInfo(file),
      ruleFor(tool.module, version)?.path,
      version,
      exe.asset.goModule,
    );
    return { kind: 'buildinfo', subject: payloadFile(tool, exe.architecture), ...judged };
  } finally {
    await file.close();
  }
}

type Judged = Omit<Verdict, 'kind' | 'subject'>;

/** Pure. `built` is what it was built from and by, if it was built here. */
function judgeBuildInfo(
  info: GoBuildInfo | undefined,
  path: string | undefined,
  version: string,
  built?: Pick<GoModule, 'sum' | 'toolchain'>,
): Judged {
  if (info === undefined)
    return { verdict: 'absent', detail: 'The exe has no Go build info that can be read.' };
  if (info.module === undefined) return { verdict: 'absent', detail: 'The Go build info names no module.' };
  const { module } = info;
  if (path === undefined) return { verdict: 'absent', detail: 'The tool names no module for this version.' };
  // by far most often upstream has gone to /v2
  if (module.path !== path)
    return failed(`module ${path}, as \`module:\` of the tool's file names it`, `module ${module.path}`);

  // `+dirty` and `+incompatible` say how the checkout looked, not which release it is.
  const found = module.version.replace(/\+.*$/, '');
  const named = `${module.path} ${module.version}, built by ${info.goVersion}`;
  if (!semver.valid(found) || isPseudo(found)) {
    return { verdict: 'absent', detail: `The Go build info names ${named}; that is no release version.` };
  }
  if (found !== `v${version}`)
    return failed(`${module.path} v${version}`, `${module.path} ${module.version}`);
  if (built !== undefined && module.sum !== built.sum)
    return failed(`module sum ${built.sum}`, `module sum ${module.sum || 'none'}`);
  if (built !== undefined && info.goVersion !== built.toolchain)
    return failed(built.toolchain, info.goVersion);
  return { verdict: 'passed', detail: `The Go build info names ${named}.` };
}

/** A commit between releases: `v1.26.4-0.20260427101112-0123456789ab`, what Go writes when the tag was not fetched. */
function isPseudo(version: string): boolean {
  return /[-.]\d{14}-[0-9a-f]{12}$/.test(version);
}

function failed(expected: string, found: string): Judged {
  return { verdict: 'failed', detail: `The Go build info names ${found}, not ${expected}.`, expected, found };
}
