import type { Log, OpenLake, QueueServer, RunRecords, Settings } from '#platform';

/** All that the worker's jobs work with. Whoever starts the worker makes and closes them. */
export interface WorkerServices {
  readonly settings: Settings;
  readonly log: Log;
  readonly open: OpenLake;
  readonly records: RunRecords;
  readonly server: QueueServer;
}
