import type { FileHandle } from 'node:fs/promises';
import { readAt } from '../../formats/pe-file.ts';

/** First bytes (latin1) -> its usual name; the first match counts. */
const beginnings: readonly (readonly [string, string])[] = [
  ['MZ', 'a Windows program'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['\x7fELF', 'a Linux program'],
  ['\xcf\xfa\xed\xfe', 'a macOS program'],
  ['\xca\xfe\xba\xbe', 'a macOS program'],
  ['<?xml', 'an XML document'],
  ['<!doctype html', 'an HTML page'],
  ['<html', 'an HTML page'],
  ['<!--', 'an HTML page'],
  ['<', 'an XML document'],
  ['{', 'a JSON document'],
];

/** What an unexpected file is, for a message: "an HTML page", "a zip archive". */
export async function describeContent(file: FileHandle): Promise<string> {
  const head = (await readAt(file, 0, 256)).toString('latin1');
  if (head === '') return 'an empty file';
  const text = head
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase();
  return (
    beginnings.find(([begin]) => head.startsWith(begin) || text.startsWith(begin))?.[1] ?? 'something else'
  );
}

/** The type that a file's name implies; undefined if none. */
export function promisedContent(name: string): string | undefined {
  if (/\.exe$/i.test(name)) return 'a Windows program';
  if (/\.zip$/i.test(name)) return 'a zip archive';
  if (/\.(?:tgz|gz)$/i.test(name)) return 'a gzip archive';
  return undefined;
}
