/**
 * NuGet versions as choco 2.x and nuget.exe 5 parse and order them (spec nuget-v2 12.1): one to four numbers, SemVer 2 labels.
 */
export type NuGetVersion = {
  readonly numbers: readonly [number, number, number, number];
  /** `beta.2` has two labels; a release has none. */
  readonly labels: readonly string[];
  /** The text after `+`, or empty; it is ignored when versions are compared. */
  readonly metadata: string;
  /** As it was written, without blanks. */
  readonly original: string;
};

const grammar =
  /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;
const maxInt32 = 2_147_483_647;
/** Longer than any version that NuGet servers accept (64), short enough for a path and an index. */
const maxLength = 256;

/** The loose grammar of spec nuget-v2 12.1; undefined when the text is not a version. Blanks around and inside are ignored. */
export function parseNuGetVersion(text: string): NuGetVersion | undefined {
  if (text.length > maxLength) return undefined;
  const original = text.trim().replaceAll(' ', '');
  const match = grammar.exec(original);
  if (match === null) return undefined;
  const [, major, minor, patch, revision, release, metadata] = match;
  const numbers = [Number(major), Number(minor ?? 0), Number(patch ?? 0), Number(revision ?? 0)] as const;
  if (numbers.some((number) => number > maxInt32)) return undefined;
  const labels = release === undefined ? [] : release.split('.');
  if (labels.some((label) => /^0\d+$/.test(label))) return undefined;
  return { numbers, labels, metadata: metadata ?? '', original };
}

/**
 * `1.01-Beta.2+x` -> `1.1.0-Beta.2`: three numbers, a fourth only if it is not 0, no metadata. In lower case it identifies the
 * version.
 */
export function printNormalizedVersion(version: NuGetVersion): string {
  const [major, minor, patch, revision] = version.numbers;
  const release = version.labels.length > 0 ? `-${version.labels.join('.')}` : '';
  return `${major}.${minor}.${patch}${revision > 0 ? `.${revision}` : ''}${release}`;
}

/** Negative when `a` is older than `b`, 0 when they are the same version, positive when newer. */
export function compareNuGetVersions(a: NuGetVersion, b: NuGetVersion): number {
  for (const index of [0, 1, 2, 3] as const) {
    if (a.numbers[index] !== b.numbers[index]) return a.numbers[index] < b.numbers[index] ? -1 : 1;
  }
  if (a.labels.length === 0 || b.labels.length === 0) {
    return Number(a.labels.length === 0) - Number(b.labels.length === 0);
  }
  for (const [index, label] of a.labels.entries()) {
    const other = b.labels[index];
    if (other === undefined) return 1;
    const order = compareLabels(label, other);
    if (order !== 0) return order;
  }
  return a.labels.length === b.labels.length ? 0 : -1;
}

/** The same for two texts; undefined when one of them is not a version. */
export function compareVersionTexts(a: string, b: string): number | undefined {
  const [left, right] = [parseNuGetVersion(a), parseNuGetVersion(b)];
  return left && right ? compareNuGetVersions(left, right) : undefined;
}

/** Normalizes a version as somebody wrote it (spec nuget-v2 12.1); any other text is returned unchanged. */
export function normalizeVersion(text: string): string {
  const version = parseNuGetVersion(text);
  return version === undefined ? text : printNormalizedVersion(version);
}

export function isPrerelease(version: NuGetVersion): boolean {
  return version.labels.length > 0;
}

/** choco 0.10 and 1.x cannot read these, and a single one breaks a whole page (spec nuget-v2 12.2). */
export function isSemVer2(version: NuGetVersion): boolean {
  return version.labels.length > 1 || version.metadata !== '';
}

/** Whether choco 0.10 and 1.x can read it: not SemVer 2, and a label that begins with a letter (spec nuget-v2 12.2). */
export function isSemVer1Readable(version: NuGetVersion): boolean {
  if (isSemVer2(version)) return false;
  const [label] = version.labels;
  return label === undefined || /^[A-Za-z]/.test(label);
}

/**
 * A text that a database can sort by: it orders as versions do, and is equal exactly when the versions are. Each separator sorts
 * below everything that a label may contain (of which `-` is lowest), and the `~` of a release sorts above.
 */
export function versionSortKey(version: NuGetVersion): string {
  const numbers = version.numbers.map((number) => String(number).padStart(10, '0')).join('.');
  return version.labels.length === 0 ? `${numbers}~` : `${numbers}-${version.labels.map(labelKey).join('!')}`;
}

function labelKey(label: string): string {
  return isNumeric(label) ? `0${label.padStart(10, '0')}` : `1${label.toLowerCase()}`;
}

function compareLabels(a: string, b: string): number {
  const isNumericA = isNumeric(a);
  const isNumericB = isNumeric(b);
  if (isNumericA && isNumericB) return Math.sign(Number(a) - Number(b));
  if (isNumericA || isNumericB) return isNumericA ? -1 : 1;
  const lowerA = a.toLowerCase();
  const lowerB = b.toLowerCase();
  if (lowerA === lowerB) return 0;
  return lowerA < lowerB ? -1 : 1;
}

/** NuGet reads a label as a number only if it fits an Int32; longer digits are text. */
function isNumeric(label: string): boolean {
  return /^\d+$/.test(label) && Number(label) <= maxInt32;
}
