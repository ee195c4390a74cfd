import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessFaults, browserPath, startBrowser, widerThanWindow } from '../../kit/browser.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

const phone = { width: 360, height: 740 };
const id = 'a-package-with-quite-a-long-name-for-a-phone';

describe.skipIf(!existsSync(browserPath))('the pages in a browser (needs chromium)', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await startTestServer();
    for (const version of ['1.0.0', '1.1.0-beta.1']) {
      const answer = await fetch(`${server.url}/nuget/`, {
        method: 'PUT',
        headers: { 'X-NuGet-ApiKey': server.adminKey },
        body: new Uint8Array(makeNupkg({ id, version, metadata: { releaseNotes: 'A line.\n'.repeat(200) } })),
      });
      expect(answer.status).toBe(201);
    }
    browser = await startBrowser();
    // axe is a script, and the pages allow none.
    page = await browser.newPage({ viewport: phone, bypassCSP: true });
  });

  afterAll(async () => {
    await browser?.close();
    await server.stop();
  });

  it.each(['/', `/packages/${id}`, '/packages/none', '/?page=2'])('fit a phone: %s', async (path) => {
    await page.goto(`${server.url}${path}`);
    for (const details of await page.locator('details').all()) {
      await details.evaluate((element) => element.setAttribute('open', ''));
    }
    const outside = await widerThanWindow(page);

    // The table of versions alone may be scrolled, within itself.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
    expect(outside.filter((name) => /^(PRE|P|H1|H2|DD|DT|UL)\b/.test(name))).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('have no fault that axe knows, in %s mode', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const path of ['/', `/packages/${id}`, `/packages/${id}/1.0.0/report`]) {
      await page.goto(`${server.url}${path}`);
      expect(await accessFaults(page), path).toEqual([]);
    }
  });

  it('show the versions on a phone, on the first page already', async () => {
    await page.goto(server.url);

    for (const version of ['1.0.0', '1.1.0-beta.1']) {
      const box = await page.locator('td .version', { hasText: version }).boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? Number.NaN) + (box?.width ?? Number.NaN)).toBeLessThanOrEqual(phone.width);
    }
  });

  it('select a whole command at one click', async () => {
    await page.goto(`${server.url}/packages/${id}`);
    await page.locator('.choice .copy').first().click();

    expect(await page.evaluate(() => window.getSelection()?.toString())).toBe(
      `choco install ${id} -s ${server.publicUrl}/nuget`,
    );
  });

  it('show the commands of the client chosen, by mouse and by keyboard', async () => {
    const shown = (): Promise<string[]> =>
      page.locator('.choice .copy').filter({ visible: true }).allTextContents();
    await page.goto(`${server.url}/packages/${id}`);

    expect(await shown()).toEqual([
      `choco install ${id} -s ${server.publicUrl}/nuget`,
      `choco install ${id} --pre -s ${server.publicUrl}/nuget`,
    ]);
    await page.locator('.choice summary', { hasText: 'NuGet' }).click();
    expect(await shown()).toEqual([
      `nuget install ${id} -Source ${server.publicUrl}/nuget`,
      `nuget install ${id} -Prerelease -Source ${server.publicUrl}/nuget`,
    ]);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    expect((await shown())[0]).toContain('choco install');
    await page.reload();
    expect((await shown())[0]).toContain('choco install');
  });

  it('name each client to a screen reader, and say whether it is the one shown', async () => {
    await page.goto(`${server.url}/packages/${id}`);

    expect(await page.locator('.choice').ariaSnapshot()).toMatch(/Chocolatey.*NuGet/s);
    const open = await page
      .locator('.choice details')
      .evaluateAll((all) => all.map((details) => (details as HTMLDetailsElement).open));
    expect(open).toEqual([true, false]);
    for (const summary of await page.locator('.choice summary').all()) {
      const box = await summary.boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(24);
      expect(box?.width).toBeGreaterThan(phone.width / 2);
    }
  });

  it('show a whole hash on demand', async () => {
    await page.goto(`${server.url}/packages/${id}`);
    const whole = page.locator('.hash .copy').first();

    expect(await whole.isVisible()).toBe(false);
    await page.locator('.hash summary').first().click();
    expect(await whole.textContent()).toMatch(/^[0-9a-f]{64}$/);
    expect(await whole.isVisible()).toBe(true);
  });
});
