import { parseNuGetRange } from '../../formats/nuget-range.ts';

/** What a client would stumble over in `id:range:framework|...` (spec nuget-v2 13); undefined when nothing. */
export function dependenciesProblem(text: string): string | undefined {
  for (const record of text === '' ? [] : text.split('|')) {
    const [id = '', range = '', , ...rest] = record.split(':');
    if (rest.length > 1) return `too many colons in "${record}"`;
    if (id !== '' && !/^\w+([._-]\w+)*$/.test(id)) return `no id in "${record}"`;
    if (/^[[(]\s*(0\.0(\.0){0,2})?\s*,\s*\)$/.test(range)) return `"${range}" for any version`;
    if (range !== '' && range !== 'null' && parseNuGetRange(range) === undefined)
      return `no range in "${record}"`;
  }
  return undefined;
}
