import { ReleaseError } from '../errors/release-error.ts';
import type { LocalFile } from '../formats/digest.ts';
import { readPrograms } from '../formats/go-buildinfo.ts';
import { takeFile } from '../manifest-gen/published/exes.ts';
import { moduleOf, type Tool } from '../manifest-gen/tool-file/tools.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { judgedInWords } from '../vulnerabilities/in-words.ts';
import { stdlib } from '../vulnerabilities/modules.ts';
import type { Scanner, ScanResult } from '../vulnerabilities/scanner.ts';
import { offeredTool } from './feed-values.ts';
import type { Finding } from './finding.ts';
import type { ToolDownload } from './lock.ts';
import type { Repository } from './repository.ts';
import { readSbom } from './sbom.ts';

/**
 * Known vulnerabilities of the tools, of the Go toolchain, and of what SBOMs list. Those that the policy allows, or that are below
 * it, are none.
 * @param sboms paths, with the names that they are shown by
 * @param only the origin that exes may come from; undefined: any that the feed's manifests name
 * @throws ReleaseError VULN_DB_*, FEED_*, PLACE_UNREACHABLE, DEVBOX_SBOM
 */
export async function checkVulnerabilities(
  toolkit: OpenToolkit & { readonly scanner: Scanner },
  { declaration }: Repository,
  tools: readonly Tool[],
  sboms: readonly { readonly name: string; readonly path: string }[],
  only: string | undefined,
): Promise<readonly Finding[]> {
  const { scanner } = toolkit;
  const findings: Finding[] = [];
  const judge = (about: string, scan: ScanResult, next: string): void => {
    const refused = [...scanner.judge(scan, about), ...scanner.judgeGaps(scan, about)].filter(
      ({ verdict }) => verdict === 'refused',
    );
    for (const one of refused) findings.push({ about, kind: 'vulnerable', what: judgedInWords(one), next });
  };
  for (const [tool, version] of Object.entries(declaration.tools)) {
    // from the feed, not from the lock: the repository may be anybody's
    const offered = await offeredTool(toolkit, tool, version);
    if (offered === undefined) continue;
    const exe = await takeExe(toolkit, tool, offered, only);
    if ('kind' in exe) {
      findings.push(exe);
      continue;
    }
    const known = tools.find((one) => one.tool === tool) ?? { tool, module: [] };
    const programs = await readPrograms([{ architecture: 'amd64', path: exe.path }]);
    judge(
      tool,
      await scanner.scan(programs, moduleOf(known, version)),
      'Take a version that has the fix, or allow it in POLICY_FILE.',
    );
  }
  const go = { path: stdlib, version: `v${declaration.go.version}` };
  judge(
    'go',
    await scanner.scanModules({ modules: [go], unknown: [], goos: '', goarch: '' }),
    'Write a Go version that has the fix into devbox.yaml, and run `devbox:create`.',
  );
  for (const { name, path } of sboms)
    judge(
      name,
      await scanner.scanModules(await readSbom(path)),
      'Build the image again with modules and a Go that have the fix, or allow it in POLICY_FILE.',
    );
  return findings;
}

async function takeExe(
  toolkit: OpenToolkit,
  about: string,
  { version, url, sha256, file }: ToolDownload,
  only: string | undefined,
): Promise<LocalFile | Finding> {
  const next = 'Upload it again: `release:verify` says what belongs there.';
  if (only !== undefined && new URL(url).origin !== only)
    return {
      about,
      kind: 'missing',
      what: `${url} is not on the feed itself, so it was not looked at`,
      next: 'Set FEED_URL.',
    };
  try {
    const exe = await takeFile({ tool: about, version, url, name: file, sha256 }, file, toolkit);
    return exe ?? { about, kind: 'missing', what: `${url} is not there`, next };
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'OTHER_BYTES') throw error;
    return { about, kind: 'differs', what: error.message, next };
  }
}
