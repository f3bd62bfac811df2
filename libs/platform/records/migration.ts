import type { MigrationInterface, QueryRunner } from 'typeorm';

class Runs1764000000000 implements MigrationInterface {
  readonly name = 'Runs1764000000000';

  async up(db: QueryRunner): Promise<void> {
    // json, not jsonb: texts may hold what PostgreSQL's text cannot, a NUL.
    // Run ids are compared as bytes, as the lake's listings are, whatever the language of the database.
    await db.query(`
      CREATE TABLE shopsmart.run (
        run_id text COLLATE "C" PRIMARY KEY,
        state text NOT NULL,
        requested_by text NOT NULL,
        request json NOT NULL,
        as_of text,
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        attempts int NOT NULL,
        worker text,
        release int,
        error json,
        cancel_requested_at timestamptz
      )`);
    await db.query(`
      CREATE INDEX run_unfinished ON shopsmart.run (run_id) WHERE state IN ('queued', 'running')`);
    await db.query(`
      CREATE TABLE shopsmart.run_stage (
        run_id text COLLATE "C" NOT NULL REFERENCES shopsmart.run ON DELETE CASCADE,
        stage text NOT NULL,
        state text NOT NULL,
        done int NOT NULL,
        total int NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        PRIMARY KEY (run_id, stage)
      )`);
    await db.query(`
      CREATE TABLE shopsmart.idempotency_key (
        requested_by text NOT NULL,
        key text NOT NULL,
        digest text NOT NULL,
        run_id text COLLATE "C" NOT NULL REFERENCES shopsmart.run ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (requested_by, key)
      )`);
    await db.query(`CREATE INDEX idempotency_key_age ON shopsmart.idempotency_key (created_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE shopsmart.idempotency_key, shopsmart.run_stage, shopsmart.run`);
  }
}

/** By class, not by file name: a built folder may keep files of old ones. Never change one that was released. */
export const migrations = [Runs1764000000000];
