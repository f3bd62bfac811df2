import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { LakeError } from '#errors';
import { NestLog, openLake, QueueServer, RunRecords, systemClock, type Log, type Settings } from '#platform';
import { WorkerModule } from './worker.module.js';

export interface WorkerOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** How long a worker may be silent before its jobs are given to another one. */
  readonly silenceMs?: number;
}

/** Servers that start with us may need some time; whoever started us tries again after that. */
const WAIT_FOR_RECORDS_MS = 15_000;

/** A worker at work; `close` hands on what it is doing. */
export async function startWorker({ settings, log, silenceMs }: WorkerOptions): Promise<{ close(): Promise<void> }> {
  const { databaseUrl, redisUrl } = settings;
  if (databaseUrl === undefined) {
    const message =
      'DATABASE_URL is not set: npm start sets it for the PostgreSQL that it starts; else name one of yours';
    throw new LakeError('settings.invalid', 'invalid', message);
  }
  const open = await openLake(settings);
  const records = RunRecords.open({ url: databaseUrl, clock: systemClock, log });
  const close = async () => {
    await records.close();
    await open.close();
  };
  try {
    await waitFor(records);
    const server = await QueueServer.open({
      databaseUrl,
      redisUrl,
      as: 'worker',
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
    await server.untilReady(log);
    server.useInNest();
    const module = WorkerModule.with({ settings, log, open, records, server });
    const app = await NestFactory.createApplicationContext(module, { logger: new NestLog(log), abortOnError: false });
    log.info({ queues: server.kind }, 'waiting for jobs');
    return {
      close: async () => {
        await app.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function waitFor(records: RunRecords): Promise<void> {
  const untilMs = systemClock.nowMs() + WAIT_FOR_RECORDS_MS;
  while (!(await records.isReachable())) {
    if (systemClock.nowMs() > untilMs)
      throw new LakeError('records.unavailable', 'unavailable', 'PostgreSQL cannot be reached at DATABASE_URL.');
    await setTimeout(500);
  }
}
