import MarkdownIt from 'markdown-it';

/** markdown-it fills each row up to the head's number of cells: 4,000 characters make 65,000 of them, in half a second. */
const maxCells = 5000;

const markdown = createMarkdown();
const withoutTables = createMarkdown().disable('table');

/** Longer texts are cut. */
const maxMarkdownLength = 50_000;

/** Renders a package's description or readme as HTML that is safe to embed. */
export function renderMarkdown(text: string): string {
  const shown = text.slice(0, maxMarkdownLength);
  return (mostCells(shown) > maxCells ? withoutTables : markdown).render(shown);
}

/** Raw HTML is shown as text. Images are disabled, since they would call other hosts. */
function createMarkdown() {
  const made = new MarkdownIt({ html: false, linkify: false }).disable('image');
  // markdown-it only blocks four schemes; Windows knows hundreds that start a program (`search-ms:`, `ms-msdt:`).
  made.validateLink = (address) => /^https?:\/\//i.test(address);
  return made;
}

/** A table ends at an empty line, and is at most as wide as its line with the most bars. */
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
