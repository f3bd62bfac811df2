import { encodePath, fileIdentity } from './file-path.js';

describe('encodePath', () => {
  it.each([
    ['p=plain/f.parquet', 'p=plain/f.parquet'],
    ['p=a%20b/f.parquet', 'p=a%2520b/f.parquet'],
    ['p=a b/f.parquet', 'p=a%20b/f.parquet'],
    ['p=#?/f.parquet', 'p=%23%3F/f.parquet'],
    ['p=ü/🚢.parquet', 'p=%C3%BC/%F0%9F%9A%A2.parquet'],
  ])('writes %s as %s: once more than the name, = and / as they are', (name, path) => {
    expect(encodePath(name)).toBe(path);
    expect(fileIdentity(path)).toBe(name);
  });
});
