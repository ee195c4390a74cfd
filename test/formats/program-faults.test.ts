import { describe, expect, it } from 'vitest';
import { FormatError, isProgramFault } from '../../formats/format-error.ts';
import { asFormatError } from '../../formats/zip-file.ts';

describe('a fault of the program', () => {
  const faults = [
    new TypeError('x is not a function'),
    new ReferenceError('x is not defined'),
    new RangeError('Maximum call stack size exceeded'),
    new SyntaxError('Unexpected token'),
    'no error at all',
  ];

  it.each(faults)('is not blamed on the bytes: %s', (fault) => {
    expect(isProgramFault(fault)).toBe(true);
    expect(asFormatError(fault)).toBe(fault);
  });

  it('is none of what yauzl and zlib say of a broken zip, in one sentence', () => {
    const said = asFormatError(new Error('End of central directory record signature not found.'));

    expect(said).toBeInstanceOf(FormatError);
    expect(String(said)).toBe(
      'FormatError: The file is not a readable zip: End of central directory record signature not found.',
    );
  });

  it('is not any error of the file system', () => {
    const error = Object.assign(new Error('EIO: i/o error, read'), { syscall: 'read' });

    expect(asFormatError(error)).toBe(error);
  });
});
