import MarkdownIt from 'markdown-it';

/** Raw HTML is shown as text and dangerous link schemes are dropped by markdown-it itself; images would call other hosts. */
const markdown = new MarkdownIt({ html: false, linkify: false }).disable('image');

/** A package's description as HTML that is safe to put into a page. */
export function renderMarkdown(text: string): string {
  return markdown.render(text.slice(0, 50_000));
}
