import * as z from 'zod';

/** An http(s) address without user and password, since it is logged; `example` is for the refusal. */
export function endpoint(example: string) {
  return z.string().transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      return refuse(context, `expected an address such as ${example}`);
    }
    if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
      return refuse(
        context,
        'expected an address without user, password, query and fragment; a secret goes into OTEL_EXPORTER_OTLP_HEADERS',
      );
    }
    return url.href;
  });
}

export function milliseconds() {
  return z.string().transform((text, context) => {
    const ms = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    return ms > 0 ? ms : refuse(context, 'expected a number of milliseconds such as 10000');
  });
}

/** `0.25`, `25%`, `25 %` -> 0.25 */
export function share() {
  return z.string().transform((text, context) => {
    const [, digits = '', percent] = /^(\d{1,3}(?:\.\d{1,9})?)\s*(%?)$/.exec(text) ?? [];
    const number = Number(digits) / (percent === '%' ? 100 : 1);
    return digits !== '' && number <= 1
      ? number
      : refuse(context, `expected a number from 0 to 1, or 0 % to 100 %, found ${JSON.stringify(text)}`);
  });
}

/**
 * `NAME=VALUE,NAME=VALUE`, with percent signs as in addresses (OpenTelemetry's specification of the environment: W3C Baggage).
 * The values may be secrets, so that a refusal shows none.
 */
export function pairs(example: string) {
  return z
    .string()
    .transform((text, context) => {
      const found: Record<string, string> = {};
      for (const part of text.split(',').filter((one) => one.trim() !== '')) {
        const [, name = '', value = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
        const [decodedName, decoded] = [decode(name), decode(value)];
        if (!decodedName || decoded === undefined || !/^[\x20-\x7e]*$/.test(decoded)) {
          return refuse(
            context,
            `expected names and values such as ${example}, with commas between them and %2C for a comma in a value`,
          );
        }
        found[decodedName] = decoded;
      }
      return found;
    })
    .optional();
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
