/** Preloaded into a process (`node --import`): each module that it asks for leaves a line in the file that IMPORTS_LOG names. */

import { appendFileSync } from 'node:fs';
import { register } from 'node:module';

if (import.meta.url.includes('?hooks')) {
  // On the thread of the hooks.
} else {
  register(`${import.meta.url}?hooks`);
}

export async function resolve(specifier, context, next) {
  appendFileSync(process.env.IMPORTS_LOG, `${specifier}\n`);
  return next(specifier, context);
}
