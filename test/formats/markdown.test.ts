import { expect, it } from 'vitest';
import { cell, row } from '../../formats/markdown.ts';

it.each([
  ['a line end', 'a\n| b |', 'a \\| b \\|'],
  ['other line ends', 'a\u2028b\u0085c', 'a b c'],
  ['a terminal escape', 'a\u001b[31mb', 'a \\[31mb'],
  ['a text that turns around', 'good \u202edab\u2069', 'good  dab '],
  ['a link', '[x](http://elsewhere.example)', '\\[x\\](http://elsewhere.example)'],
  ['an element', '<img src=x>', '&#60;img src=x&#62;'],
  ['an entity', '&lt;b&gt;', '&#38;lt;b&#38;gt;'],
  ['a person, a team, an issue', '@someone @corp/all #1', '&#64;someone &#64;corp/all \\#1'],
  ['code', '`a` \\', '\\`a\\` \\\\'],
])('takes %s for a text', (_what, text, shown) => {
  expect(row([cell(text)])).toBe(`| ${shown} |`);
});
