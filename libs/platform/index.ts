export type { RunDesk, RunPage, RunRequest, RunStage, RunState, RunView, StageView } from './runs/run-desk.js';
export { type LogLevel, type Settings } from './config/settings.js';
export { readSettings, unknownVariables, type SettingOptions } from './config/read-settings.js';
export { settingsDoc } from './config/settings-doc.js';
export { Secret } from './config/secret.js';
export { openLog, type Log } from './log/log.js';
export { keptSecret } from './config/kept-secret.js';
export { openLake, openStore, systemClock, type OpenLake } from './lake/open-lake.js';
export { startPostgres, type EmbeddedPostgres } from './embedded-postgres/start-postgres.js';
