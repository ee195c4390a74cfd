/**
 * Whether an answer is a page for people, as a captive portal, a proxy or a gateway gives one with status 200 in place of a feed: by its
 * root, since some of them say another content type. XML declaration and comments may come first.
 */
export function isHtmlPage(text: string): boolean {
  return /^\uFEFF?(?:\s|<\?xml[^>]{0,200}>|<!--(?:(?!-->)[\s\S]){0,10000}-->)*<(?:!doctype\s+html|html|head|body)\b/i.test(
    text.slice(0, 20_000),
  );
}
