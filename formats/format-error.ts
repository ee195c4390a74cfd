import { type Details, fill } from './fill.ts';

/**
 * Every way in which bytes can be invalid: code -> sentence. `{name}` is filled in from the details. A sentence is one line,
 * because the server sends it as a reason phrase (spec nuget-v2 10.3). Text taken from the bytes goes through `quoted`.
 */
const errors = {
  XML_TOO_LARGE: 'The XML has {bytes} bytes; at most {maxBytes} are read.',
  XML_NOT_UTF: 'The XML is neither UTF-8 nor UTF-16 with a byte order mark.',
  XML_CHARACTER: 'The XML has the character {character} at line {line}, column {column}, which XML forbids.',
  XML_DTD:
    'The XML declares a document type at line {line}, column {column}; document types and their entities are refused.',
  XML_ENTITY:
    'The XML has the entity {entity} at line {line}, column {column}; only amp, lt, gt, quot, apos and numbers are known.',
  XML_TOO_DEEP: 'The XML nests deeper than {maxDepth} elements at line {line}, column {column}.',
  XML_TOO_MANY: 'The XML has more than {maxElements} elements, at line {line}, column {column}.',
  XML_MALFORMED: 'The XML is not well-formed: {problem} at line {line}, column {column}.',

  PAGE_SHAPE: 'The page of a v2 feed needs {expected}; found {found}.',

  NUSPEC_SHAPE: 'The nuspec needs {expected}; found {found}.',
  NUSPEC_SYMBOLS:
    'The nuspec says that this is a symbol package; those are not kept here, push the package alone.',
  NUSPEC_FIELD_MISSING: 'The nuspec has no {field}; add <{field}> to its <metadata>.',
  NUSPEC_FIELD_TWICE: 'The nuspec has <{field}> more than once; keep one.',
  NUSPEC_FIELD_INVALID: 'The nuspec has {found} as {field}; expected {expected}.',

  ZIP_UNREADABLE: 'The file is not a readable zip: {problem}.',
  ZIP_TOO_MANY: 'The zip has {count} entries; at most {maxEntries} are read.',
  ZIP_ENTRY_TOO_LARGE: 'The zip entry {name} has {bytes} bytes; at most {maxBytes} are read.',
  ZIP_TOTAL_TOO_LARGE: 'The zip unpacks to more than the {maxBytes} bytes that are read.',
  ZIP_RATIO: 'The zip entry {name} unpacks to {bytes} bytes, more than {maxRatio} times its packed size.',
  ZIP_NAME: 'The zip entry {name} has a name that cannot be unpacked safely: {problem}.',
  ZIP_NAME_TWICE: 'The zip entries {first} and {second} would be the same file on Windows.',
  ZIP_ENTRY_KIND: 'The zip entry {name} is {kind}; only plain files, stored or deflated, are read.',
  ZIP_OVERLAP: 'The zip entries {first} and {second} share the same bytes.',
  ZIP_HEADERS_DIFFER: 'The zip entry {name} is described in two ways: its local header has another {what}.',
  ZIP_HIDDEN_ENTRIES: 'The zip counts {count} entries, but its directory does not end after them.',
  ZIP_CHECKSUM: 'The zip entry {name} is damaged: expected CRC-32 {expected}, found {found}.',
  ZIP_ENTRY_MISSING: 'The zip has no entry {name}.',

  NUPKG_NO_NUSPEC: 'The package has no .nuspec at its root.',
  NUPKG_MANY_NUSPECS: 'The package has {count} .nuspec files at its root ({names}); exactly one is expected.',

  JSON_TOO_LARGE: 'The JSON has {bytes} bytes; at most {maxBytes} are read.',
  JSON_MALFORMED: 'The manifest is not JSON: {problem}.',
  JSON_TOO_DEEP: 'The JSON nests deeper than {maxDepth} levels at line {line}, column {column}.',
  JSON_KEY_TWICE:
    'The JSON has the key {key} twice in one object, at line {line}, column {column}; PowerShell ignores case and refuses that.',
  MANIFEST_INVALID: 'The manifest does not fit the schema of Scoop: {problems}.',
} as const satisfies Record<string, string>;

export type FormatErrorCode = keyof typeof errors;

/** Bytes that are not what they claim to be. The server answers with 400, the generator refuses them. */
export class FormatError extends Error {
  readonly code: FormatErrorCode;
  readonly details: Details;

  constructor(code: FormatErrorCode, details: Details = {}, cause?: unknown) {
    super(fill(errors[code], details), cause === undefined ? undefined : { cause });
    this.name = 'FormatError';
    this.code = code;
    this.details = details;
  }
}

/** Throws the error `code`; reads as a statement where it is called. */
export function fail(code: FormatErrorCode, details: Details = {}, cause?: unknown): never {
  throw new FormatError(code, details, cause);
}

/** Whether this is a bug, ours or a library's, which must never become a FormatError because it says nothing about the bytes. */
export function isProgramFault(error: unknown): boolean {
  const kinds = [TypeError, ReferenceError, RangeError, SyntaxError];
  return !(error instanceof Error) || kinds.some((kind) => error instanceof kind);
}

/** Hostile text for use in a sentence: quoted, one line, visible ASCII, at most `maxLength` characters. */
export function quoted(text: string, maxLength = 80): string {
  return `"${visible(text, maxLength).replaceAll('"', "'")}"`;
}

/** The same without quotes, for other programs' sentences that quote hostile text. */
export function visible(text: string, maxLength = 200): string {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  return shown.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
