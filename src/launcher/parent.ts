/**
 * Aborted when npm, which started this process, is gone: a killed npm passes no Ctrl-C on, and whoever started npm knows
 * of no other process. Never, when something else started it.
 */
export function parentGone(): AbortSignal {
  const gone = new AbortController();
  const parent = process.ppid;
  if (process.env['npm_lifecycle_event'] === 'start')
    setInterval(() => {
      if (process.ppid !== parent) gone.abort();
    }, 1_000).unref();
  return gone.signal;
}
