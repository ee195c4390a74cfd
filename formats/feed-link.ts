/**
 * The absolute address behind a link in a feed's document. Relative links start at the document. A feed behind a TLS proxy that
 * names its own host in plain http (NuGet.Server, old Nexus) is still asked in https. Undefined for anything but a web address.
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

/** A password in a link would let somebody else choose who we are. */
function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return plain;
}
