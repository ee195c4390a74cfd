/**
 * Whether an answer is a page for people, which captive portals, proxies and gateways send with status 200 instead of a feed.
 * Decided by the root element, since some of them send another content type. An XML declaration and comments may come first.
 */
export function isHtmlPage(text: string): boolean {
  return /^\uFEFF?(?:\s|<\?xml[^>]{0,200}>|<!--(?:(?!-->)[\s\S]){0,10000}-->)*<(?:!doctype\s+html|html|head|body)\b/i.test(
    text.slice(0, 20_000),
  );
}
