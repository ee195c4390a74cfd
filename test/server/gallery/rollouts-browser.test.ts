import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessFaults, browserPath, startBrowser, widerThanWindow } from '../../kit/browser.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';
import { type RolloutServer, startRolloutServer } from '../api/rollout-server.ts';

const phone = { width: 360, height: 740 };
const plan = {
  steps: [
    { ring: 'canary', hold: '4h' },
    { percent: 50, hold: '6h' },
  ],
  match: { service: 'checkout' },
};

describe.skipIf(!existsSync(browserPath))('the pages of rollouts in a browser (needs chromium)', () => {
  let server: RolloutServer;
  let browser: Browser;
  let page: Page;
  let key: string;

  beforeAll(async () => {
    server = await startRolloutServer();
    server.held.add('delve 1.22.0').add('buf 1.33.0');
    await server.see('it-1', 'pc-1');
    await server.setRing('canary', 'it-*');
    key = await server.key(['push', 'rollout'], { owner: 'ann' });
    for (const [tool, version] of [
      ['delve', '1.22.0'],
      ['buf', '1.33.0'],
    ]) {
      const [status] = await server.call('POST', '/rollouts', key, { tool, version, plan, reason: 'new' });
      expect(status).toBe(201);
    }
    browser = await startBrowser();
    // axe is a script, and the pages allow none.
    page = await (await browser.newContext({ viewport: phone, bypassCSP: true })).newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await server.stop();
  });

  describe.each(['light', 'dark'] as const)('in %s mode', (colorScheme) => {
    it.each(['/rollouts', '/rollouts/1', '/rollouts/none'])(
      'have no fault that axe knows: %s',
      async (path) => {
        await page.emulateMedia({ colorScheme });
        await page.goto(`${server.url}${path}`);

        expect(await accessFaults(page)).toEqual([]);
      },
    );
  });

  it.each(['/rollouts', '/rollouts/1'])('fit a phone: %s', async (path) => {
    await page.goto(`${server.url}${path}`);
    const outside = await widerThanWindow(page);

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
    expect(outside.filter((name) => /^(PRE|P|H1|H2|DD|DT|UL|FORM|INPUT|BUTTON)\b/.test(name))).toEqual([]);
  });

  it('halt and resume by their forms', async () => {
    await page.goto(`${server.url}/rollouts/1`);
    await page.getByLabel('Reason').fill('too many errors');
    await page.getByLabel('Key with the scope rollout').fill(key);
    await press(page, 'Halt');

    expect(new URL(page.url()).pathname).toBe('/rollouts/1');
    expect(await page.locator('.lead').textContent()).toContain('halted');
    expect(await page.getByText('too many errors').count()).toBe(1);

    await page.getByLabel('Reason').fill('mended');
    await page.getByLabel('Key with the scope rollout').fill(key);
    await press(page, 'Resume');

    expect(await page.locator('.lead').textContent()).toContain('rolling');
    expect(await page.content()).not.toContain(key);
  });

  it.each(['light', 'dark'] as const)('explain what a machine gets, in %s mode', async (colorScheme) => {
    const reading = await server.key(['read']);
    await page.emulateMedia({ colorScheme });
    await page.goto(`${server.url}/rollouts/1`);
    await page.getByLabel('Client id').fill('IT-1');
    await page.getByLabel('Key with the scope read').fill(reading);
    await press(page, 'Explain');

    expect(await page.getByRole('listitem').allTextContents()).toContainEqual(
      expect.stringMatching(/^it-1: seen from .*, in canary$/),
    );
    expect(page.url()).toBe(`${server.url}/rollouts/1/client`);
    expect(await page.content()).not.toContain(reading);
    expect(await accessFaults(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
  });
});

describe.skipIf(!existsSync(browserPath))('the page of a rollout on a whole server (needs chromium)', () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await startTestServer();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server.stop();
  });

  it('sends its forms as the page of this server that it is', async () => {
    const key = await makeKey(server, ['read', 'push', 'rollout']);
    const { whole, call } = heldUploads(server, key);
    await whole('1.22.0');
    const everybody = { steps: [{ percent: 100, hold: '1d' }] };
    const order = { tool: 'delve', version: '1.22.0', plan: everybody };
    expect((await call('POST', '/rollouts', key, order))[0]).toBe(201);
    const page = await browser.newPage();
    await page.goto(`${server.url}/rollouts/1`);

    await page.getByLabel('Client id').fill('pc-7');
    await page.getByLabel('Key with the scope read').fill(key);
    await press(page, 'Explain');

    expect(await page.getByText('pc-7: never seen, in no ring').count()).toBe(1);

    await page.getByLabel('Reason').fill('odd logs');
    await page.getByLabel('Key with the scope rollout').fill(key);
    await press(page, 'Halt');

    expect(await page.locator('.lead').textContent()).toContain('halted');
  });
});

/** Sends a form, until the page that answers is there: a click alone waits for its first bytes at most. */
async function press(page: Page, name: string): Promise<void> {
  const arrived = page.waitForEvent('load');
  await page.getByRole('button', { name }).click();
  await arrived;
}
