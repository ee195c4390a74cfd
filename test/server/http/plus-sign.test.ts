import { describe, expect, it } from 'vitest';
import { plusSignOf } from '../../../server/http/plus-sign.ts';

describe('a raw plus sign', () => {
  it.each([
    'Chocolatey Command Line/2.7.3 via NuGet Client/6.4.1 (Unix 6.18.44.595)',
    'NuGet Command Line/6.13.1 (LINUX)',
    'NuGet xplat/7.9.0 (LINUX)',
    'NuGet .NET Core MSBuild Task/7.9.0 (LINUX)',
    'NuGet VS VSIX/6.11.0 (Microsoft Windows NT 10.0.22631.0, VS Enterprise/17.0)',
  ])('is a plus sign from %s', (userAgent) => {
    expect(plusSignOf(userAgent)).toBe('+');
  });

  it.each([
    'PSResourceGet/1.1.0.1 PowerShell/7.6.9 DistributionChannel/unknown PowerShellGetCompat/false',
    'Mozilla/5.0 NuGet',
    'Mozilla/5.0 (X11; Linux x86_64)',
    '',
    undefined,
  ])('is a blank from %s', (userAgent) => {
    expect(plusSignOf(userAgent)).toBe(' ');
  });
});
