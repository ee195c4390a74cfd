/**
 * An address that a feed names in one of its documents, as it can be asked for: relative ones start at the document, and a
 * feed behind a TLS proxy that names its own host in plain http (NuGet.Server, old Nexus) is asked in https as before.
 * Undefined when it is no web address.
 */
export function resolveLink(link: string, document: URL): URL | undefined {
  const text = link.trim();
  if (text === '' || !URL.canParse(text, document)) return undefined;
  const url = new URL(text, document);
  if (url.protocol === 'http:' && document.protocol === 'https:' && url.hostname === document.hostname) {
    return new URL(`${document.origin}${url.pathname}${url.search}`);
  }
  return /^https?:$/.test(url.protocol) ? withoutUser(url) : undefined;
}

/** A password in a link would be somebody else's choice of whom we are. */
function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return plain;
}
