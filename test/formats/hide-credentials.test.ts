import { describe, expect, it } from 'vitest';
import { hideCredentials, hideSent } from '../../formats/hide-credentials.ts';

describe('hideCredentials', () => {
  it.each([
    ['https://me:secret@host/x.git', 'https://host/x.git'],
    ['a password with an @: https://me:se@cret@host/x', 'a password with an @: https://host/x'],
    ["fatal: unable to access 'https://me:it's@host/x'", "fatal: unable to access 'https://host/x'"],
    ['ssh://git@host/x and http://u:p@other', 'ssh://host/x and http://other'],
    ['https://host/packages/@acme/tool', 'https://host/packages/@acme/tool'],
    ['http://127.0.0.1:8080, mail me@example.test', 'http://127.0.0.1:8080, mail me@example.test'],
  ])('turns %j into %j', (text, shown) => {
    expect(hideCredentials(text)).toBe(shown);
  });
});

describe('hideSent', () => {
  const basic = `Basic ${Buffer.from('me:se:cret').toString('base64')}`;

  it.each([
    [{ 'X-NuGet-ApiKey': 'gwt_123456' }, 'No key gwt_123456 here', 'No key *** here'],
    [{ authorization: 'Bearer gwt_123456' }, 'Bad Bearer gwt_123456, gwt_123456', 'Bad ***, ***'],
    [{ authorization: basic }, `${basic} is me:se:cret, password se:cret`, '*** is ***, password ***'],
    [{ cookie: ['a=bcde', 'f=ghij'] }, 'a=bcde f=ghij', '*** ***'],
    [{ accept: 'text/html', 'x-nuget-apikey': '' }, 'no text/html for you', 'no text/html for you'],
    [{ authorization: undefined }, 'https://me:secret@host/', 'https://host/'],
  ])('turns, in a request with %j, %j into %j', (headers, text, shown) => {
    expect(hideSent(text, headers)).toBe(shown);
  });
});
