import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors/release-error.ts';
import { digestFile } from '../formats/digest.ts';
import { hideCredentials } from '../formats/hide-credentials.ts';
import { firstProxy } from '../go-command/ask-proxy.ts';
import { openGo } from '../go-command/command.ts';
import { downloadModules } from '../go-command/modules.ts';
import { toolchainIn, toolchainTrust } from '../go-command/toolchain.ts';
import type { Toolkit } from '../manifest-gen/toolkit.ts';
import { inOneLine } from '../outbound/asking.ts';
import { Address } from './declaration.ts';

/** The Go that builds this product's own programs, which is what its images were tested with. */
export async function ownGoVersion(productDir: string): Promise<string> {
  const goMod = await readFile(join(productDir, 'probe', 'go.mod'), 'utf8');
  return toolchainIn(goMod, 'probe').replace('go', '');
}

/**
 * The zip of a Go toolchain for Windows: the one that the module proxy has, whose content the Go checksum database vouches for (Go
 * compares it). Its SHA-256 is for those who download it without Go.
 * @returns the reason, as the rest of a sentence, where it cannot be had
 * @throws ReleaseError INTERRUPTED
 */
export async function findWindowsGo(
  toolkit: Toolkit,
  version: string,
): Promise<{ readonly url: string; readonly sha256: string } | { readonly reason: string }> {
  const asking = { tool: 'go', version, kind: 'go-module' } as const;
  const module = `v0.0.1-go${version}.windows-amd64`;
  try {
    const go = await openGo(toolkit, asking);
    const proxy = firstProxy(go.machine.GOPROXY);
    const url = `${proxy?.href.replace(/\/+$/, '')}/golang.org/toolchain/@v/${module}.zip`;
    // also refuses an address with a password, which would be written into files for everybody
    if (!Address.safeParse(url).success) return { reason: 'GOPROXY names no plain address' };
    // nobody else vouches for it: the database is asked, whatever is set for private modules
    const env = { ...toolchainTrust(go), GONOSUMDB: '', GOPRIVATE: '' };
    const { modules, stderr } = await downloadModules(go, [`golang.org/toolchain@${module}`], env);
    const [said] = modules;
    if (said?.Zip === undefined || said.Error !== undefined)
      return { reason: inOneLine(hideCredentials(said?.Error ?? stderr)).slice(0, 300) };
    const zip = said.Zip;
    return { url, sha256: (await digestFile(zip)).sha256 };
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code === 'INTERRUPTED') throw error;
    return { reason: error.message };
  }
}
