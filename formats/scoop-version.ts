/**
 * Scoop's own order of versions (spec scoop 2.6), which differs from SemVer: only labels that contain alpha, beta, rc or pre sort
 * below the release. Negative when `a` is older than `b`, 0 when Scoop considers them equal, positive when newer.
 */
export function compareScoopVersions(a: string, b: string): number {
  return compareBy('-', a, b);
}

/** Inside a piece Scoop splits at the next separator: `1.2.0-beta.2` at `-`, then `.`, then `_`. */
type Separator = '-' | '.' | '_';
type Piece = bigint | string;

function compareBy(separator: Separator, a: string, b: string): number {
  const left = a.replaceAll('+', '-').toLowerCase();
  const right = b.replaceAll('+', '-').toLowerCase();
  if (left === right) return 0;
  const leftPieces = split(left, separator);
  const rightPieces = split(right, separator);
  // Two nightlies are the same version whatever their date, unless the machine is configured otherwise.
  if (leftPieces[0] === 'nightly' && rightPieces[0] === 'nightly') return 0;

  for (let index = 0; index < Math.max(leftPieces.length, rightPieces.length); index++) {
    const leftPiece = leftPieces[index];
    const rightPiece = rightPieces[index];
    if (leftPiece === undefined) return isPrereleasePiece(rightPiece) ? 1 : -1;
    if (rightPiece === undefined) return isPrereleasePiece(leftPiece) ? -1 : 1;
    const order = comparePieces(leftPiece, rightPiece);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePieces(a: Piece, b: Piece): number {
  for (const separator of ['.', '_'] as const) {
    if (String(a).includes(separator) || String(b).includes(separator)) {
      return compareBy(separator, String(a), String(b));
    }
  }
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

/** Each run of letters becomes a separate piece: `0.5alpha` -> `0.5`, `alpha`. */
function split(version: string, separator: Separator): Piece[] {
  return version
    .replace(/[a-z]+/g, (letters) => `${separator}${letters}${separator}`)
    .split(separator)
    .filter((piece) => piece !== '')
    .map((piece) => (/^\d+$/.test(piece) ? BigInt(piece) : piece));
}

function isPrereleasePiece(piece: Piece | undefined): boolean {
  return /alpha|beta|rc|pre/.test(String(piece));
}
