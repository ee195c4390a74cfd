import semver from 'semver';
import { readGoBuildInfo } from '../../formats/go-buildinfo.ts';
import { withFile } from '../../formats/scoped.ts';
import type { Found, UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-place.ts';
import { ruleFor } from '../tool-file/version-rules.ts';
import { absent, failed, passed } from './verdict.ts';

/**
 * Does the Go build info in the exe name the module that the tool's file names for this version? No record or no version in it is
 * `absent` (spec upstream 6: buf's says `(devel)`), another module, version or sum `failed`.
 */
export async function checkBuildInfo({ tool, version }: Found, exe: UnpackedExe): Promise<Verdict> {
  const about = { kind: 'buildinfo', subject: payloadFile(tool, exe.architecture) } as const;
  const info = await withFile(exe.path, readGoBuildInfo);
  const path = ruleFor(tool.module, version)?.path;
  // what it was built from and by, if it was built here
  const built = exe.asset.goModule;
  const broken = (expected: string, found: string): Verdict =>
    failed(about, `The Go build info names ${found}, not ${expected}.`, expected, found);
  if (info === undefined) return absent(about, 'The exe has no Go build info that can be read.');
  const { module } = info;
  if (module === undefined) return absent(about, 'The Go build info names no module.');
  if (path === undefined) return absent(about, 'The tool names no module for this version.');
  // by far most often upstream has gone to /v2
  if (module.path !== path)
    return broken(`module ${path}, as \`module:\` of the tool's file names it`, `module ${module.path}`);

  // `+dirty` and `+incompatible` say how the checkout looked, not which release it is.
  const found = module.version.replace(/\+.*$/, '');
  const named = `${module.path} ${module.version}, built by ${info.goVersion}`;
  if (!semver.valid(found) || isPseudo(found)) {
    return absent(about, `The Go build info names ${named}; that is no release version.`);
  }
  if (found !== `v${version}`)
    return broken(`${module.path} v${version}`, `${module.path} ${module.version}`);
  if (built !== undefined && module.sum !== built.sum)
    return broken(`module sum ${built.sum}`, `module sum ${module.sum || 'none'}`);
  if (built !== undefined && info.goVersion !== built.toolchain)
    return broken(built.toolchain, info.goVersion);
  return passed(about, `The Go build info names ${named}.`);
}

/** A commit between releases: `v1.26.4-0.20260427101112-0123456789ab`, what Go writes when the tag was not fetched. */
function isPseudo(version: string): boolean {
  return /[-.]\d{14}-[0-9a-f]{12}$/.test(version);
}
