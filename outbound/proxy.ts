import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

/**
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY as curl and npm know them. A proxy's address may contain a password, so no message quotes
 * it.
 */
export type ProxySettings = {
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** Hosts that need no proxy: `localhost,.corp.example,10.0.0.1:8080`; `*` means all. */
  readonly noProxy?: string | undefined;
};

type Agents = { readonly http?: HttpAgent; readonly https?: HttpsAgent };

/** How to reach an address: plain http through the proxy itself, https through a tunnel, exceptions directly. */
export function agentFor(url: URL, { httpProxy, httpsProxy, noProxy }: ProxySettings): Agents {
  if (isDirect(url, noProxy)) return {};
  if (url.protocol === 'http:')
    return httpProxy === undefined ? {} : { http: new HttpProxyAgent(addressOf(httpProxy)) };
  return httpsProxy === undefined ? {} : { https: new HttpsProxyAgent(addressOf(httpsProxy)) };
}

/** `proxy.corp:3128` means an http proxy, as in curl. */
function addressOf(proxy: string): string {
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** NO_PROXY as curl reads it: a host includes its subdomains, and a port must match if given. */
export function isDirect(url: URL, noProxy: string | undefined): boolean {
  const port = url.port || (url.protocol === 'http:' ? '80' : '443');
  const entries = (noProxy ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, host = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const domain = host.replace(/^\*?\./, '');
    const hasHost = url.hostname === domain || url.hostname.endsWith(`.${domain}`);
    return hasHost && (entryPort === undefined || entryPort === port);
  });
}
