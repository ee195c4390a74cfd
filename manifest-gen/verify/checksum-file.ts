import type { Asset, Sidecar, Verdict } from '../release.ts';
import { failed, passed } from './verdict.ts';

/** Does upstream's checksum file list this file with the bytes that came? */
export function checkChecksumFile(file: Sidecar, asset: Asset): Verdict {
  const about = { kind: 'checksum', subject: asset.name } as const;
  const { sha256, sha512 } = asset.digest;
  const stated = [...new Set(checksumsOf(file.text, asset.name))];
  const wrong = stated.filter((hex) => hex !== sha256 && hex !== sha512);
  if (stated.length > 0 && wrong.length === 0) {
    return passed(about, `${file.name} lists the file with these bytes.`);
  }
  // A checksum file that does not list our file is not "no evidence": the release process did not make this file.
  if (stated.length === 0) {
    const expected = `a line for ${asset.name} in ${file.name}`;
    return failed(about, `${file.name} does not list it.`, expected, 'none');
  }
  const found = wrong.some((hex) => hex.length === sha512.length) ? sha512 : sha256;
  const expected = `${stated.join(' or ')} (${file.name})`;
  return failed(about, `${file.name} lists it with another hash.`, expected, found);
}

/**
 * The SHA-256 and SHA-512 values (lower hex) that a checksum file states for exactly this file name.
 *
 *     <hex>  NAME        GNU text mode, also with one blank
 *     <hex> *NAME        GNU binary mode; `./NAME` is the same file
 *     \<hex>  NA\\ME     GNU: a leading \ says that \\, \n and \r in the name are escaped
 *     SHA256 (NAME) = <hex>      BSD, `sha256sum --tag`
 *     SHA2-256(NAME)= <hex>      `openssl dgst`, SHA256(...) before OpenSSL 3
 *     sha256:<hex>  NAME         as registries write digests
 *     <hex>              alone: the file is about one file (`NAME.sha256`)
 *
 * The whole name is compared, never an ending or a beginning: goreleaser 1.2.1 to 1.3.0 list `X.zip.sbom` before `X.zip`, and
 * Scoop took the wrong line (spec upstream 3). Hashes of other lengths are not looked at.
 */
export function checksumsOf(text: string, name: string): readonly string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trimEnd());
  const [only, ...more] = lines.filter((line) => line !== '');
  if (only !== undefined && more.length === 0) {
    const hex = only.trim().replace(algorithm, '');
    if (isHash(hex)) return [hex.toLowerCase()];
  }
  return lines.flatMap((line) => {
    const stated = readLine(line);
    return stated !== undefined && isHash(stated.hex) && stated.name.replace(/^\.\//, '') === name
      ? [stated.hex.toLowerCase()]
      : [];
  });
}

type Line = { readonly hex: string; readonly name: string };

function readLine(line: string): Line | undefined {
  const isEscaped = line.startsWith('\\');
  const plain = isEscaped ? line.slice(1) : line;
  const { hex, name } = (gnu.exec(plain.replace(algorithm, '')) ?? bsd.exec(plain))?.groups ?? {};
  if (hex === undefined || name === undefined) return undefined;
  return { hex, name: isEscaped ? unescapeName(name) : name };
}

/** coreutils escapes exactly these three (sha256sum, "file name escaping"). */
function unescapeName(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\');
}

// the name begins with no blank: else a line of blanks alone would be parted in all ways
const gnu = /^(?<hex>[0-9a-fA-F]+)[ \t]+(?![ \t])\*?(?<name>.+)$/;
const bsd = /^SHA(?:2-)?(?:256|512) ?\((?<name>.+)\) ?= ?(?<hex>[0-9a-fA-F]+)$/;
const algorithm = /^sha(?:256|512):/i;

function isHash(text: string): boolean {
  return /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/.test(text);
}
