import { describe, expect, it } from 'vitest';
import { hideCredentials } from '../../formats/hide-credentials.ts';

describe('hideCredentials', () => {
  it.each([
    ['https://me:secret@host/x.git', 'https://host/x.git'],
    ['a password with an @: https://me:se@cret@host/x', 'a password with an @: https://host/x'],
    ["fatal: unable to access 'https://me:it's@host/x'", "fatal: unable to access 'https://host/x'"],
    ['ssh://git@host/x and http://u:p@other', 'ssh://host/x and http://other'],
    ['https://host/packages/@acme/tool', 'https://host/packages/@acme/tool'],
    ['http://127.0.0.1:8080, mail me@example.test', 'http://127.0.0.1:8080, mail me@example.test'],
  ])('makes of %j %j', (text, shown) => {
    expect(hideCredentials(text)).toBe(shown);
  });
});
