/**
 * The path and query of a request. Proxies that speak HTTP/1.0 send the whole address (`GET http://host/nuget`, RFC 9112 3.2.2),
 * whose host is ignored; PSResourceGet asks for `//FindPackagesById()` (spec nuget-v2 section 3), so multiple slashes in a path
 * count as one. Call it before Express: its routers remember the scheme and prepend it again after any handler has changed the
 * address.
 */
export function plainTarget(sent: string): string {
  if (sent.startsWith('/') && !sent.includes('//')) return sent;
  const [path = '', ...query] = sent.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('?');
  return [path.replace(/\/{2,}/g, '/') || '/', ...query].join('?');
}

/** The part of a target before its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
