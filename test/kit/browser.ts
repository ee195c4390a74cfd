import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/google-chrome'];
/** The Chromium of the system, or Chrome; Playwright's own downloads are not asked for. */
export const browserPath = places.find((path) => existsSync(path)) ?? '';

/** Starts Chromium without the requests that it makes on its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** What is wider than the window: it could only be read by scrolling sideways. */
export function widerThanWindow(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
      .map((element) => `${element.tagName} ${element.className}`),
  );
}
