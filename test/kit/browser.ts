import { type Browser, chromium, type Page } from 'playwright-core';

const path = '/usr/bin/chromium';
/** Debian's Chromium; Playwright's own downloads are not asked for. */
export const browserPath = path;

/** Starts Chromium without the requests that it makes on its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
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
