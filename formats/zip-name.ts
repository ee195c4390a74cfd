/**
 * Why a zip entry's name must not be unpacked on Windows; undefined when it may. Names in packages are percent-encoded (OPC) and
 * clients decode them, so the decoded form is checked: `tools/%2e%2e/x` climbs too.
 * @param isEncoded false outside of packages, where `100%.md` is a plain name
 */
export function findNameProblem(name: string, { isEncoded = true } = {}): string | undefined {
  const decoded = decodeName(name) ?? (isEncoded ? undefined : name);
  if (decoded === undefined) return 'its percent-encoding is broken';
  if (decoded.length > maxLength) return `it is longer than ${maxLength} characters`;
  const folder = decoded.endsWith('/') ? decoded.slice(0, -1) : decoded;
  for (const { test, problem } of rules) if (test(folder)) return problem;
  return undefined;
}

/** Two names with the same key are one file on Windows. */
export function nameKey(name: string): string {
  return (decodeName(name) ?? name).normalize('NFC').toUpperCase().replace(/\/$/, '');
}

// Windows' classic path limit of 260, minus room for the package's folder.
const maxLength = 200;

const rules: readonly { readonly test: (path: string) => boolean; readonly problem: string }[] = [
  { test: (path) => path.includes('\\'), problem: 'it has a backslash' },
  { test: (path) => path === '' || path.startsWith('/'), problem: 'it is empty or absolute' },
  // A drive letter, or an alternate data stream on NTFS.
  { test: (path) => path.includes(':'), problem: 'it has a colon' },
  {
    test: (path) => /[\p{Cc}"*<>?|]/u.test(path),
    problem: 'it has a character that Windows forbids',
  },
  { test: (path) => segments(path).some(isDots), problem: 'it climbs out of its folder or stays in place' },
  { test: (path) => segments(path).includes(''), problem: 'it has an empty folder name' },
  // Windows drops them, so that `x.exe.` becomes `x.exe`.
  {
    test: (path) => segments(path).some((part) => /[. ]$/.test(part)),
    problem: 'a part of it ends in a dot or blank',
  },
  { test: (path) => segments(path).some(isDevice), problem: 'it names a device of Windows' },
];

function segments(path: string): string[] {
  return path.split('/');
}

function isDots(part: string): boolean {
  return part === '.' || part === '..';
}

/** With any extension: `aux.txt` is the device too. */
function isDevice(part: string): boolean {
  return /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i.test(part);
}

function decodeName(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
