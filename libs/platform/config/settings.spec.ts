import { LakeError } from '#errors';
import { parseMemorySize } from './memory-size.js';
import { parseSettings, type SettingSources } from './settings.js';

const machine = { memoryBytes: 16e9, cores: 8, workingDir: '/shop' };

function given(values: Record<string, string>): SettingSources {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

function mistakeIn(sources: SettingSources, secrets?: ReadonlySet<string>): LakeError {
  try {
    parseSettings(sources, machine, secrets);
  } catch (error) {
    if (error instanceof LakeError) return error;
  }
  throw new Error('the settings were accepted');
}

describe('settings', () => {
  it('have a default each, with paths below the working folder', () => {
    expect(parseSettings({}, machine)).toEqual({
      lake: '/shop/data/lake',
      landing: '/shop/data/landing',
      data: '/shop/data',
      engine: 'duckdb',
      keepReleases: 100,
      dateFrom: '2024-01-01',
      dateTo: '2026-12-31',
      memoryLimitBytes: 2e9,
      threads: 8,
      logLevel: 'info',
      port: 3000,
      host: '127.0.0.1',
    });
  });

  it('take 60 % of the memory of a small machine', () => {
    expect(parseSettings({}, { ...machine, memoryBytes: 1e9 }).memoryLimitBytes).toBe(6e8);
  });

  it('report every mistake together, by name and value, and where it was set', () => {
    const { code, message } = mistakeIn({
      SHOPSMART_KEEP_RELEASES: { value: '0' },
      SHOPSMART_MEMORY_LIMIT: { value: 'lots', from: '.env' },
      SHOPSMART_ENGINE: { value: 'sparkle', from: '--engine' },
      SHOPSMART_DATE_FROM: { value: '2024-02-30' },
      LOG_LEVEL: { value: 'loud' },
    });
    expect(code).toBe('settings.invalid');
    expect(message).toContain('5 settings are wrong');
    expect(message).toContain('SHOPSMART_KEEP_RELEASES = "0": must be a whole number from 1 to 1000000');
    expect(message).toContain('SHOPSMART_MEMORY_LIMIT = "lots" (from .env): must be a size of at least 256MB');
    expect(message).toContain('SHOPSMART_ENGINE = "sparkle" (from --engine): must be duckdb or spark');
    expect(message).toContain('SHOPSMART_DATE_FROM = "2024-02-30": must be a date');
    expect(message).toContain('LOG_LEVEL = "loud": must be one of debug, info, warn, error');
  });

  it('never print the value of a secret', () => {
    const { message } = mistakeIn(given({ LOG_LEVEL: 'hunter2' }), new Set(['LOG_LEVEL']));
    expect(message).toContain('LOG_LEVEL = ***');
    expect(message).not.toContain('hunter2');
  });

  it('refuse a calendar that ends before it begins', () => {
    expect(mistakeIn(given({ SHOPSMART_DATE_TO: '2023-12-31' })).message).toContain('SHOPSMART_DATE_TO = "2023-12-31"');
    expect(mistakeIn(given({ SHOPSMART_DATE_FROM: '2027-01-01' })).message).toContain('SHOPSMART_DATE_FROM');
  });

  it('count an empty value as not set', () => {
    expect(parseSettings(given({ SHOPSMART_LAKE: ' ', PORT: '' }), machine)).toMatchObject({
      lake: '/shop/data/lake',
      port: 3000,
    });
  });

  it('keep an abfss URL as it came and refuse other URLs', () => {
    const url = 'abfss://lake@shop.dfs.core.windows.net/prod';
    expect(parseSettings(given({ SHOPSMART_LAKE: url }), machine).lake).toBe(url);
    expect(mistakeIn(given({ SHOPSMART_LAKE: 's3://bucket/lake' })).message).toContain('must be a folder or abfss://');
  });

  it('are frozen', () => {
    expect(Object.isFrozen(parseSettings({}, machine))).toBe(true);
  });
});

describe('a memory size', () => {
  it.each([
    ['2GB', 2e9],
    ['512 MiB', 512 * 1024 ** 2],
    ['1.5gb', 1.5e9],
    ['1000000B', 1e6],
  ])('reads %s', (text, bytes) => {
    expect(parseMemorySize(text)).toBe(bytes);
  });

  it.each(['2', 'GB', '-1GB', '2 G', '1e9B', '80%'])('refuses %s', (text) => {
    expect(parseMemorySize(text)).toBeUndefined();
  });
});
