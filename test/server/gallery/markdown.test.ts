import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../server/gallery/markdown.ts';

function addressesOf(html: string): (string | undefined)[] {
  return [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address);
}

describe('the description of a package', () => {
  it('links to web addresses', () => {
    const html = renderMarkdown('[a](https://example.org/a?b=1&c) <http://example.org> **bold**');

    expect(addressesOf(html)).toEqual(['https://example.org/a?b=1&amp;c', 'http://example.org']);
    expect(html).toContain('<strong>bold</strong>');
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    '&#106;avascript:alert(1)',
    'java&#10;script:alert(1)',
    'data:text/html,x',
    'data:image/png;base64,AA',
    'vbscript:x',
    'file:///c:/windows',
    'search-ms:query=x&crumb=location:\\\\evil.example\\share',
    'ms-msdt:/id',
    'shell:startup',
    'mailto:a@example.org',
    '//evil.example/a',
    '/api/v1/keys',
    '\\\\evil.example\\share',
    'http:evil.example',
  ])('links to nothing else: %s', (address) => {
    const forms = `[a](${address}) [b](<${address}>) <${address}> ![c](${address}) [d]\n\n[d]: ${address}\n`;

    expect(addressesOf(renderMarkdown(forms))).toEqual([]);
  });

  it('shows HTML as text', () => {
    const html = renderMarkdown('<script>alert(1)</script>\n\n<a href="x" onclick="y">z</a>');

    expect(html).not.toMatch(/<(?!\/?p>)/);
  });

  it('may contain a table, but none that grows beyond what its author wrote', () => {
    const rows = Array.from({ length: 50 }, (_, n) => `| flag ${n} | what it does |`);
    const prose = 'A sentence that ends here.\n'.repeat(500);
    const table = ['| name | meaning |', '| --- | --- |', ...rows].join('\n');
    const honest = [prose, table, prose, table].join('\n\n');
    const bomb = `${'|x'.repeat(200)}\n${'|-'.repeat(200)}\n${'|\n'.repeat(1600)}`;

    expect(renderMarkdown(honest).match(/<td>/g)).toHaveLength(200);
    const bombs = Array.from({ length: 12 }, () => bomb).join('\n\n');
    for (const text of [bomb, bombs]) expect(renderMarkdown(text).length).toBeLessThan(20 * text.length);
  });
});
