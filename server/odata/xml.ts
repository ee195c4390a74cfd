/** Characters that need escaping in text or in a double-quoted attribute. A raw carriage return would be read as a line feed. */
const special = /[&<>"\r]/g;
/** Characters that XML 1.0 cannot represent: a push refuses them (spec nuget-v2 18.1), and they are never sent (9.3). */
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
/** Most texts contain neither, which this finds without the slower Unicode rules. */
const suspicious = /[&<>"]|[^\t\n\u0020-\ud7ff\ue000-\ufffd]/;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

/** Text as XML content or attribute value. Characters that XML forbids become U+FFFD. */
export function escapeXml(text: string): string {
  if (!suspicious.test(text)) return text;
  return text
    .replace(forbidden, '\u{fffd}')
    .replace(special, (character) => references[character] ?? character);
}

let lastTime = Number.NaN;
let lastText = '';

/** With a zone: without one a client assumes its own local time (spec nuget-v2 9.5). Most of a row's dates are equal. */
export function dateTime(date: Date): string {
  const time = date.getTime();
  if (time !== lastTime) {
    lastText = date.toISOString();
    lastTime = time;
  }
  return lastText;
}

export const xmlDeclaration = '<?xml version="1.0" encoding="utf-8"?>';

/**
 * The namespaces and prefixes of OData 2; PSResourceGet searches for the literal `m:count` and `d:Id` (spec nuget-v2 section 7).
 */
export const namespaces = {
  atom: 'http://www.w3.org/2005/Atom',
  app: 'http://www.w3.org/2007/app',
  d: 'http://schemas.microsoft.com/ado/2007/08/dataservices',
  m: 'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata',
  scheme: 'http://schemas.microsoft.com/ado/2007/08/dataservices/scheme',
  edm: 'http://schemas.microsoft.com/ado/2006/04/edm',
  edmx: 'http://schemas.microsoft.com/ado/2007/06/edmx',
} as const;

/** As on chocolatey.org and nuget.org; clients look for `V2FeedPackage`. */
export const schemaName = 'NuGetGallery';
export const entityName = 'V2FeedPackage';
