import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { licenseOf } from '../../../../manifest-gen/sources/go-module/license-text.ts';
import { productDir } from '../../../kit/test-server.ts';

const require = createRequire(import.meta.url);
const read = (...parts: string[]) => readFile(join(productDir, ...parts), 'utf8');
const ofPackage = (name: string, file: string) =>
  readFile(join(dirname(require.resolve(`${name}/package.json`)), file), 'utf8');

const mit = await read('LICENSE');
const apache = await ofPackage('typescript', 'LICENSE.txt');
const delve = await read('nuspecs', 'delve', 'LICENSE.txt');
const buf = await read('nuspecs', 'buf', 'LICENSE.txt');
const isc = await ofPackage('semver', 'LICENSE');
/** As Go has it. */
const bsd = `Copyright (c) 2009 The Go Authors. All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are
met:

   * Redistributions of source code must retain the above copyright
notice, this list of conditions and the following disclaimer.
   * Redistributions in binary form must reproduce the above
copyright notice, this list of conditions and the following disclaimer
in the documentation and/or other materials provided with the
distribution.
   * Neither the name of Google Inc. nor the names of its
contributors may be used to endorse or promote products derived from
this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
"AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT
OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT
LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY
THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
`;
const third = /^ {3}\* Neither[\s\S]*?permission\.\n/m;

describe('the licence of a text', () => {
  it.each<[string, string, string]>([
    ['of this product', mit, 'MIT'],
    ['of semver', isc, 'ISC'],
    [
      'with its title and an "and/or"',
      `ISC License\n\n${isc.replace(/and\/or|and (?=distribute)/, 'and/or')}`,
      'ISC',
    ],
    ['of TypeScript', apache, 'Apache-2.0'],
    ['of delve', delve, 'MIT'],
    ['of buf', buf, 'Apache-2.0'],
    ['of Go', bsd, 'BSD-3-Clause'],
    ['of Go, in numbered clauses', bsd.replace(/^ {3}\* /gm, '1. '), 'BSD-3-Clause'],
    ['of Go without its third clause', bsd.replace(third, ''), 'BSD-2-Clause'],
    ['with the line ends and dashes of Windows', mit.replaceAll('\n', '\r\n').replaceAll('"', '“'), 'MIT'],
  ])('%s is recognized', (_, text, id) => {
    expect(licenseOf(text)).toBe(id);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a readme', '# gadget\n\nMIT licensed, see LICENSE.'],
    ['a condition more', `${mit}\nThe Software shall be used for Good, not Evil.\n`],
    [
      'a condition in the middle',
      mit.replace('THE SOFTWARE IS', 'The Software shall be used for Good. THE SOFTWARE IS'),
    ],
    ['a condition before it', `${'The right to sell the software is not granted. '.repeat(8)}\n${mit}`],
    ['a word less', mit.replace('without restriction, ', '')],
    ['two licences', `${mit}\n\n${bsd}`],
    ['the beginning of Apache 2.0', apache.slice(0, 4000)],
    ['Apache 2.0 and another', `${apache}\n${bsd}`],
    ['more than a licence has', mit.padEnd(200_000)],
  ])('is not recognized from %s', (_, text) => {
    expect(licenseOf(text)).toBeUndefined();
  });
});
