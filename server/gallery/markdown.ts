import MarkdownIt from 'markdown-it';

/** markdown-it gives each row as many cells as the head has: 4,000 characters make 65,000 of them, in half a second. */
const maxCells = 2000;

const markdown = createMarkdown();
const withoutTables = createMarkdown().disable('table');

/** The rest of a longer text is not shown. */
export const maxMarkdownLength = 50_000;

/** A package's description or readme as HTML that is safe to put into a page. */
export function renderMarkdown(text: string): string {
  const shown = text.slice(0, maxMarkdownLength);
  return (mostCells(shown) > maxCells ? withoutTables : markdown).render(shown);
}

/** It shows raw HTML as text. Images would call other hosts. */
function createMarkdown() {
  const made = new MarkdownIt({ html: false, linkify: false }).disable('image');
  // Its own list has four bad schemes; Windows knows hundreds that start a program (`search-ms:`, `ms-msdt:`).
  made.validateLink = (address) => /^https?:\/\//i.test(address);
  return made;
}

function mostCells(text: string): number {
  const lines = text.split(/\r\n?|\n/);
  return lines.length * Math.max(...lines.map((line) => line.split('|').length));
}
