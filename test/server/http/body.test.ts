import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lendBody, lendFilled, splitAt } from '../../../server/http/body.ts';

describe('reused memory for a body', () => {
  it.each([4 * 1024, 5000, 63 * 1024, 64 * 1024, 130_000, 256 * 1024])(
    'is about as large as one of %i bytes',
    (size) => {
      const text = 'x'.repeat(size);
      const { bytes, giveBack } = lendBody([text]);
      expect(bytes.toString()).toBe(text);
      // What one slow client holds of it.
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * size);
      giveBack?.();
      expect(lendBody([text]).bytes.buffer).toBe(bytes.buffer);
    },
  );

  it('is not given to two bodies at once', () => {
    const [one, other] = [lendBody(['a'.repeat(5000)]), lendBody(['b'.repeat(5000)])];
    expect(one.bytes.buffer).not.toBe(other.bytes.buffer);
    expect(one.bytes.toString()).toBe('a'.repeat(5000));
  });
});

describe('a template', () => {
  it('is the body with another text in each place', () => {
    const pieces = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('@')),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    const long = fc.constantFrom('', 'x'.repeat(5000));
    fc.assert(
      fc.property(pieces, long, fc.string({ maxLength: 9 }), (texts, more, id) => {
        const whole = [...texts, more];
        const template = splitAt(Buffer.from(whole.join('@@')), Buffer.from('@@'));

        expect(lendFilled(template, id).bytes.toString()).toBe(whole.join(id));
      }),
    );
  });
});
