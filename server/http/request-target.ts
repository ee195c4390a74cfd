/**
 * The path and query that a request asks for. Proxies that speak HTTP/1.0 send the whole address (`GET
 * http://host/nuget`, RFC 9112 3.2.2), whose host decides nothing here; PSResourceGet asks for `//FindPackagesById()`
 * (spec nuget-v2 section 3), so that several slashes in a path are one. To be done before Express: its routers read the
 * scheme once, and put it back in front of whatever a handler makes of the address.
 */
export function plainTarget(sent: string): string {
  if (sent.startsWith('/') && !sent.includes('//')) return sent;
  const [path = '', ...query] = sent.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('?');
  return [path.replace(/\/{2,}/g, '/') || '/', ...query].join('?');
}
