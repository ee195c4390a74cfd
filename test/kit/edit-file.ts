import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** Replaces texts in a file, each of which must be there. */
export async function editFile(file: string, changes: Readonly<Record<string, string>>): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  await writeFile(file, text);
}
