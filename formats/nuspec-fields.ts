import { fail, quoted } from './format-error.ts';
import { parseNuGetRange } from './nuget-range.ts';
import { parseNuGetVersion } from './nuget-version.ts';

/** What a field of a nuspec may contain: form -> [test, expected value for the error message]. */
const forms = {
  id: [isPackageId, 'at most 100 letters, digits and _, with a single . - between them'],
  version: [(text) => parseNuGetVersion(text) !== undefined, 'a version such as 1.2.0-beta.1'],
  range: [(text) => parseNuGetRange(text) !== undefined, 'a version or an interval such as [1.0,2.0)'],
  address: [isWebAddress, 'an absolute http or https address'],
  boolean: [(text) => /^(?:true|false|1|0)$/i.test(text), 'true or false'],
  // Colons and bars separate the records of a feed's Dependencies text (spec nuget-v2 13).
  framework: [(text) => !/[:|]/.test(text), 'the name of a framework such as net45'],
} as const satisfies Record<string, readonly [(text: string) => boolean, string]>;

export type FieldForm = keyof typeof forms;

/** Returns the text if it has the form. @throws FormatError NUSPEC_FIELD_INVALID */
export function checkForm(form: FieldForm, field: string, text: string): string {
  const [test, expected] = forms[form];
  if (!test(text)) fail('NUSPEC_FIELD_INVALID', { field, found: quoted(text), expected });
  return text;
}

/**
 * Spec nuget-v2 12.5, in ASCII: an id becomes a Windows folder and part of addresses. `_` is not listed as a separator because it
 * is already a letter; with both, an id of many `_` took minutes to match.
 */
export function isPackageId(text: string): boolean {
  return text.length <= 100 && /^\w+(?:[.-]\w+)*$/.test(text);
}

/** OneGet throws on an invalid address in a feed (spec nuget-v2 9.5), and pages show it as a link. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s<>"]+$/i.test(text) && URL.canParse(text);
}
