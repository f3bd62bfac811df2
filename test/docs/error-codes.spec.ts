import { readdirSync, readFileSync } from 'node:fs';

describe('docs/errors.md', () => {
  const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z_]+\.[a-z_]+)` /gm)].map(
    ([, code]) => code ?? '',
  );
  const sources = ['libs', 'src', 'apps'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
      .map((path) => readFileSync(`${folder}/${path}`, 'utf8')),
  );

  it('lists every error code that the sources throw', () => {
    const thrown = sources.flatMap((source) =>
      found(source, /'([a-z_]+\.[a-z_]+)',\s*'(?:invalid|notFound|forbidden|conflict|unavailable|corrupt)'/g),
    );
    expect(documented).toEqual(expect.arrayContaining(thrown));
  });

  it('lists none that is gone, each once, in order', () => {
    const quoted = new Set(sources.flatMap((source) => found(source, /'([a-z_]+\.[a-z_]+)'/g)));
    expect(documented.filter((code) => !quoted.has(code))).toEqual([]);
    expect(documented).toEqual([...new Set(documented)].sort());
  });
});

function found(source: string, pattern: RegExp): readonly string[] {
  return [...source.matchAll(pattern)].map(([, code]) => code ?? '');
}
