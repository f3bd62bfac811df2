import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, unknownVariables } from './read-settings.js';

describe('readSettings', () => {
  const before = { ...process.env };
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'settings-'));
    for (const name of Object.keys(process.env))
      if (/^(SHOPSMART_|PORT$|HOST$|LOG_LEVEL$)/.test(name)) delete process.env[name];
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(dir, { recursive: true });
  });

  it('lets an option beat the environment, and the environment beat .env', () => {
    writeFileSync(
      join(dir, '.env'),
      'SHOPSMART_LAKE=/dotenv\nSHOPSMART_LANDING=/dotenv\nSHOPSMART_DATA="/dotenv data"\n',
    );
    process.env['SHOPSMART_LAKE'] = '/environment';
    process.env['SHOPSMART_LANDING'] = '/environment';
    const settings = readSettings({ SHOPSMART_LAKE: { value: '/option', from: '--lake' } }, dir);
    expect(settings).toMatchObject({ lake: '/option', landing: '/environment', data: '/dotenv data' });
  });

  it('does not let an empty variable hide the one in .env', () => {
    writeFileSync(join(dir, '.env'), 'PORT=4000\n');
    process.env['PORT'] = '';
    expect(readSettings({}, dir).port).toBe(4000);
  });

  it('says that a mistake stands in .env', () => {
    writeFileSync(join(dir, '.env'), 'SHOPSMART_THREADS=many\n');
    expect(() => readSettings({}, dir)).toThrow('SHOPSMART_THREADS = "many" (from .env)');
  });

  it('says that .env cannot be read', () => {
    const folder = join(dir, 'sub');
    writeFileSync(folder, '');
    expect(() => readSettings({}, folder)).toThrow('cannot read');
  });

  it('leaves the default memory limit below 60 % of this machine', () => {
    expect(readSettings({}, dir).memoryLimitBytes).toBeLessThanOrEqual(2e9);
  });

  it('finds misspelt settings', () => {
    writeFileSync(join(dir, '.env'), 'SHOPSMART_LAK=/lake\nOTHER=1\n');
    expect(unknownVariables(dir)).toEqual(['SHOPSMART_LAK']);
  });
});
