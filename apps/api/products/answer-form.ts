import { LakeError } from '#errors';

export type Format = (typeof formats)[number];

export const formats = ['json', 'csv', 'ndjson'] as const;

export const contentTypes: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const mediaTypes: Readonly<Record<Format, readonly string[]>> = {
  json: ['application/json'],
  csv: ['text/csv'],
  ndjson: ['application/x-ndjson', 'application/ndjson'],
};

/**
 * The offered format that an `Accept` header ranks highest, by the range that says most of each (RFC 9110); of equals the
 * one that it names first. Throws `request.not_acceptable`.
 */
export function acceptedFormat(accept: string | undefined, offered: readonly Format[]): Format {
  if (accept === undefined || accept.trim() === '') return 'json';
  const ranges = accept.split(',', 100).map(parseRange);
  const ranked = offered.flatMap((format) => {
    for (const names of rangesOf(format)) {
      const place = ranges.findIndex(({ type, q }) => names.includes(type) && q >= 0);
      const q = ranges[place]?.q ?? 0;
      if (place >= 0) return q > 0 ? [{ format, q, place }] : [];
    }
    return [];
  });
  const [best] = ranked.sort((a, b) => b.q - a.q || a.place - b.place);
  if (best === undefined) throw notAcceptable();
  return best.format;
}

function parseRange(range: string): { readonly type: string; readonly q: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, q: Number(q ?? 1) };
}

/** What a header may call the format, from what says most to what says least. */
function rangesOf(format: Format): readonly (readonly string[])[] {
  const names = mediaTypes[format];
  return [names, names.map((name) => name.replace(/\/.*/, '/*')), ['*/*']];
}

export function notAcceptable(): LakeError {
  return new LakeError(
    'request.not_acceptable',
    'invalid',
    'Answers come as application/json, text/csv and application/x-ndjson (format=json, csv, ndjson).',
  );
}
