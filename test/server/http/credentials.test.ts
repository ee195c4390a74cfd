import { describe, expect, it } from 'vitest';
import { readCredentials } from '../../../server/http/credentials.ts';

const base64 = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('base64');

describe('credentials', () => {
  it.each([
    ['nothing', {}, []],
    ['an empty X-NuGet-ApiKey', { 'x-nuget-apikey': ' ' }, []],
    ['a scheme we do not know', { authorization: 'Digest abc' }, []],
    ['a bare Bearer', { authorization: 'Bearer' }, []],
    ['X-NuGet-ApiKey', { 'x-nuget-apikey': ' K ' }, [['K']]],
    ['Bearer in any case', { authorization: 'bearer K' }, [['K']]],
    ['Basic', { authorization: `Basic ${base64('any:K')}` }, [['K']]],
    ['Basic without a user', { authorization: `Basic ${base64(':K')}` }, [['K']]],
    ['a key with colons', { authorization: `Basic ${base64('any:K:K')}` }, [['K:K']]],
    ['Basic without a colon', { authorization: `Basic ${base64('any')}` }, [[]]],
    ['Basic without a password', { authorization: `Basic ${base64('any:')}` }, []],
    ['an empty Basic', { authorization: 'Basic' }, []],
    [
      'a UTF-8 password',
      { authorization: `Basic ${base64('any:schlüssel')}` },
      [['schlüssel', 'schlÃ¼ssel']],
    ],
    ['a Latin-1 password', { authorization: `Basic ${base64('any:schlüssel', 'latin1')}` }, [['schlüssel']]],
    [
      'X-NuGet-ApiKey before Basic, and from both',
      { 'x-nuget-apikey': 'K', authorization: `Basic ${base64('a:L')}` },
      [['K'], ['L']],
    ],
  ])('are read from %s', (_name, headers, readings) => {
    expect(readCredentials(headers).map((one) => one.readings)).toEqual(readings);
  });

  it('say whether to ask again', () => {
    expect(readCredentials({ authorization: `Basic ${base64('any:K')}` })).toMatchObject([{ kind: 'basic' }]);
    expect(readCredentials({ authorization: 'Bearer K' })).toMatchObject([{ kind: 'key' }]);
  });
});
