const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};

/** `2GB`, `512 MiB`, `1.5GB` in bytes; undefined when it is no size. KB is 1,000 bytes and KiB 1,024, as DuckDB has it. */
export function parseMemorySize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]?i?B)$/i.exec(text.trim()) ?? [];
  const bytes = unitBytes[(unit ?? '').toUpperCase()];
  return digits === undefined || bytes === undefined ? undefined : Math.floor(Number(digits) * bytes);
}
