import * as z from 'zod';
import { isWebAddress } from '../../formats/nuspec-fields.ts';

/** One line of text with any content. */
const Line = z
  .string()
  .trim()
  .min(1, 'is empty')
  .regex(/^[^\r\n]*$/, 'is more than one line');
const Address = Line.refine(
  (text) => isWebAddress(text.replaceAll('{version}', '1.0.0')),
  'is not an http or https address',
);

/**
 * The texts of a tool in its file: nuspec and manifest template are made from it (tool-file/templates.ts), so that one
 * YAML is a whole tool. `{version}` in any text is upstream's version. Lengths and the rest of Chocolatey's rules are kept in
 * build/render/package-rules.ts, which sees templates written by hand too.
 */
export const ToolPackage = z.strictObject({
  /** `Staticcheck`; default: the tool's name. */
  title: Line.optional(),
  /** One short sentence, by custom without a full stop. */
  summary: Line,
  /** Markdown; default: made from the summary. */
  description: z.string().trim().min(1, 'is empty').optional(),
  authors: Line,
  /** Who packages it; default: go-win-tools. */
  owners: Line.optional(),
  copyright: Line.optional(),
  /** SPDX, as Scoop wants it: `BSD-3-Clause`, `MIT OR Apache-2.0`. */
  license: z.string().regex(/^[\w.+()-]+( (AND|OR|WITH) [\w.+()-]+)*$/, 'is not an SPDX expression'),
  licenseUrl: Address.optional(),
  projectUrl: Address,
  projectSourceUrl: Address.optional(),
  docsUrl: Address.optional(),
  bugTrackerUrl: Address.optional(),
  iconUrl: Address.optional(),
  /** Text or an address. */
  releaseNotes: z.string().trim().min(1, 'is empty').optional(),
  /** Default: the tool's name and its command. */
  tags: z
    .array(z.string().regex(/^[^\s,]+$/, 'is not one word without a comma'))
    .min(1)
    .optional(),
  /** What Scoop prints after it has installed the tool. */
  notes: z.string().trim().min(1, 'is empty').optional(),
});
