import MarkdownIt from 'markdown-it';

/** markdown-it gives each row as many cells as the head has: 4,000 characters make 65,000 of them, in half a second. */
const maxCells = 5000;

const markdown = createMarkdown();
const withoutTables = createMarkdown().disable('table');

/** The rest of a longer text is not shown. */
const maxMarkdownLength = 50_000;

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

/** No table goes beyond an empty line, and none is wider than its line with most bars. */
function mostCells(text: string): number {
  let [cells, lines, bars] = [0, 0, 0];
  for (const line of text.split(/\r\n?|\n/)) {
    if (line.trim() === '') {
      cells += lines * bars;
      [lines, bars] = [0, 0];
    } else {
      lines += 1;
      bars = Math.max(bars, line.split('|').length - 1);
    }
  }
  return cells + lines * bars;
}
