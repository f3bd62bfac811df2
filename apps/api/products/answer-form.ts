import { LakeError } from '#errors';

export type Format = (typeof formats)[number];

export const formats = ['json', 'csv', 'ndjson'] as const;

export const contentTypes: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const byMediaType: Readonly<Record<string, Format>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'text/csv': 'csv',
  'text/*': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** The offered format that an `Accept` header ranks first; of equals the one that it names first. Throws `request.not_acceptable`. */
export function acceptedFormat(accept: string | undefined, offered: readonly Format[]): Format {
  if (accept === undefined || accept.trim() === '') return 'json';
  const ranges = accept.split(',', 100).map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { format: Object.hasOwn(byMediaType, type) ? byMediaType[type] : undefined, q: Number(q ?? 1) };
  });
  const [best] = ranges
    .filter(({ format, q }) => format !== undefined && offered.includes(format) && q > 0)
    .sort((a, b) => b.q - a.q);
  if (best?.format === undefined) throw notAcceptable();
  return best.format;
}

export function notAcceptable(): LakeError {
  return new LakeError(
    'request.not_acceptable',
    'invalid',
    'Answers come as application/json, text/csv and application/x-ndjson (format=json, csv, ndjson).',
  );
}
