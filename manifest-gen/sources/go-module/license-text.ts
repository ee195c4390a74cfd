/**
 * Licences by their text (SPDX). `<>` stands for a name; what is one licence with a list marker, another dash or other quotes is the
 * same with all of that taken out (spdx.github.io/spdx-spec, "License matching guidelines").
 */
const short: readonly (readonly [id: string, text: string])[] = [
  [
    'MIT',
    `permission is hereby granted free of charge to any person obtaining a copy of this software and associated documentation files the software to deal
in the software without restriction including without limitation the rights to use copy modify merge publish distribute sublicense and or sell copies of the software and
to permit persons to whom the software is furnished to do so subject to the following conditions the above copyright notice and this permission notice shall be included
in all copies or substantial portions of the software the software is provided as is without warranty of any kind express or implied including but not limited to the
warranties of merchantability fitness for a particular purpose and noninfringement in no event shall the authors or copyright holders be liable for any claim damages or
other liability whether in an action of contract tort or otherwise arising from out of or in connection with the software or the use or other dealings in the software`,
  ],
  ['ISC', isc('and')],
  ['ISC', isc('and or')],
  ['BSD-2-Clause', bsd('')],
  [
    'BSD-3-Clause',
    bsd(
      'neither the name of <> may be used to endorse or promote products derived from this software without specific prior written permission',
    ),
  ],
  [
    'Unlicense',
    `this is free and unencumbered software released into the public domain anyone is free to copy modify publish use compile sell or distribute this software either in
source code form or as a compiled binary for any purpose commercial or non commercial and by any means in jurisdictions that recognize copyright laws the author or authors of
this software dedicate any and all copyright interest in the software to the public domain we make this dedication for the benefit of the public at large and to the detriment
of our heirs and successors we intend this dedication to be an overt act of relinquishment in perpetuity of all present and future rights to this software under copyright law
the software is provided as is without warranty of any kind express or implied including but not limited to the warranties of merchantability fitness for a particular purpose
and noninfringement in no event shall the authors be liable for any claim damages or other liability whether in an action of contract tort or otherwise arising from out of or in
connection with the software or the use or other dealings in the software for more information please refer to <>`,
  ],
];

function isc(and: string): string {
  return `permission to use copy modify ${and} distribute this software for any purpose with or without fee is hereby granted provided that the above copyright notice and
this permission notice appear in all copies the software is provided as is and the author disclaims all warranties with regard to this software including all implied
warranties of merchantability and fitness in no event shall the author be liable for any special direct indirect or consequential damages or any damages whatsoever resulting
from loss of use data or profits whether in an action of contract negligence or other tortious action arising out of or in connection with the use or performance of this software`;
}

function bsd(third: string): string {
  return `redistribution and use in source and binary forms with or without modification are permitted provided that the following conditions are met
redistributions of source code must retain the above copyright notice this list of conditions and the following disclaimer redistributions in binary form must reproduce the
above copyright notice this list of conditions and the following disclaimer in the documentation and or other materials provided with the distribution ${third}
this software is provided by <> as is and any express or implied warranties including but not limited to the implied warranties of merchantability and fitness for a
particular purpose are disclaimed in no event shall <> be liable for any direct indirect incidental special exemplary or consequential damages including but not limited to
procurement of substitute goods or services loss of use data or profits or business interruption however caused and on any theory of liability whether in contract strict
liability or tort including negligence or otherwise arising in any way out of the use of this software even if advised of the possibility of such damage`;
}

/** The long ones, by how they begin, a sentence near their end, and how many words they have with and without their appendix. */
const long: readonly (readonly [id: string, head: string, tail: string, words: readonly [number, number]])[] =
  [
    [
      'Apache-2.0',
      'apache license version 2 0 january 2004',
      'by reason of your accepting any such warranty or additional liability',
      [1400, 1640],
    ],
    [
      'MPL-2.0',
      'mozilla public license version 2 0',
      'exhibit b incompatible with secondary licenses',
      [2350, 2550],
    ],
    [
      'GPL-2.0-only',
      'gnu general public license version 2 june 1991',
      'end of terms and conditions',
      [2500, 3000],
    ],
    [
      'GPL-3.0-only',
      'gnu general public license version 3 29 june 2007',
      'end of terms and conditions',
      [5200, 5750],
    ],
    [
      'LGPL-3.0-only',
      'gnu lesser general public license version 3 29 june 2007',
      'choosing that version for the library',
      [1000, 1300],
    ],
    [
      'AGPL-3.0-only',
      'gnu affero general public license version 3 19 november 2007',
      'end of terms and conditions',
      [5200, 5750],
    ],
  ];

/** A title and the holders of the copyright; more before a short text could be another condition. */
const maxHeadWords = 60;
/** Of a file that is worth looking at. */
const maxLength = 100_000;

/**
 * Which licence a file is, whole: a text with a sentence more or less is another one, and so is a file of several licences.
 * @returns undefined when it is none of these
 */
export function licenseOf(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  const words = wordsOf(text);
  return shortOf(words) ?? longOf(words);
}

function shortOf(words: string): string | undefined {
  for (const [id, pattern] of patterns) {
    const match = pattern.exec(`${words} `);
    if (match !== null && countWords(words.slice(0, match.index)) <= maxHeadWords) return id;
  }
  return undefined;
}

function longOf(words: string): string | undefined {
  // a short one beside it: the file is two
  if (beginnings.some((beginning) => words.includes(beginning))) return undefined;
  const count = countWords(words);
  return long.find(([, head, tail, [least, most]]) => {
    const start = words.indexOf(head);
    const isAtStart = start >= 0 && countWords(words.slice(0, start)) <= maxHeadWords;
    return isAtStart && words.includes(tail, start) && count >= least && count <= most;
  })?.[0];
}

/** Small letters and digits, one blank between words, without the markers of lists. */
function wordsOf(text: string): string {
  return text
    .replace(/^[ \t]*(?:[*-]|\(?(?:\d{1,2}|[a-z])[.)])[ \t]+/gim, ' ')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

function countWords(words: string): number {
  return words.trim() === '' ? 0 : words.trim().split(' ').length;
}

/** To the end of the text. A name has at most some twenty words, each with the blank after it, so that matching never goes back far. */
const patterns = short.map(([id, text]) => {
  const parts = text.split('<>').map((part) => wordsOf(part).replace(/.$/, '$& '));
  const name = '(?:[a-z0-9]+ ){1,24}?';
  return [id, new RegExp(`(?<![^ ])${parts.join(name)}$`)] as const;
});

const beginnings = short.map(([, text]) => wordsOf(text).split(' ').slice(0, 8).join(' '));
