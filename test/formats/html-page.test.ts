import { expect, it } from 'vitest';
import { isHtmlPage } from '../../formats/html-page.ts';

it.each<[string, boolean]>([
  ['<!DOCTYPE html><title>Sign in</title>', true],
  ['<html lang="en">', true],
  ['\uFEFF\n <HTML>', true],
  ['<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html/>', true],
  ['<!-- a portal --><html>', true],
  ['<body>', true],
  ['<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>&lt;html></title></feed>', false],
  ['<feed><html/></feed>', false],
  ['<service/>', false],
  ['<header/>', false],
  ['{"html": "<html>"}', false],
  ['', false],
  [`<!--${'-- '.repeat(50_000)}`, false],
])('says whether %j is a page for people: %s', (text, expected) => {
  expect(isHtmlPage(text)).toBe(expected);
});
