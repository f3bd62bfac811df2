import { contentTypes, type Format } from '../products/answer-form.js';
import { problemTypes } from '../edge/problem-type.js';
import { ref, text, type Node } from './schema.js';

export function parameter(place: 'query' | 'path' | 'header', name: string, schema: Node, more: Node = {}): Node {
  return { name, in: place, ...more, schema };
}

const releaseHeaderNames = ['X-Release', 'X-Data-As-Of', 'X-Complete-Until', 'X-Contract', 'X-Masked-Columns', 'ETag'];

/** The 200 of a question: JSON by schema, and the formats that stream. */
export function answers(schema: Node, formats: readonly Format[] = ['json', 'csv', 'ndjson']): Node {
  const content = formats.map((format) => {
    const [mediaType = ''] = contentTypes[format].split(';');
    return [mediaType, { schema: format === 'json' ? schema : text() }];
  });
  return {
    description: 'The answer, and the release that it is of.',
    headers: Object.fromEntries(releaseHeaderNames.map((name) => [name, ref('headers', name)])),
    content: Object.fromEntries(content),
  };
}

/** JSON that is no answer to a question about rows. */
export function json(schema: Node, description: string, headers: readonly string[] = []): Node {
  return {
    description,
    ...(headers.length === 0
      ? {}
      : { headers: Object.fromEntries(headers.map((name) => [name, ref('headers', name)])) }),
    content: { 'application/json': { schema } },
  };
}

/** The problems that an operation can end with, by status; every operation can be refused by host or origin. */
export function problems(...statuses: readonly number[]): Node {
  return Object.fromEntries([...statuses, 421, 500].map((status) => [status, ref('responses', `Problem${status}`)]));
}

/** One response a status, naming the codes that it may have. */
export function problemResponses(): Node {
  const byStatus = new Map<number, string[]>();
  for (const [code, { status, title }] of Object.entries(problemTypes)) {
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}.`]);
  }
  const responses = [...byStatus].map(([status, codes]) => [
    `Problem${status}`,
    {
      description: codes.join('\n\n'),
      content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
    },
  ]);
  return Object.fromEntries(responses) as Node;
}
