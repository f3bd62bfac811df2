export { type LogLevel, type Settings } from './config/settings.js';
export { readSettings, unknownVariables, type SettingOptions } from './config/read-settings.js';
export { settingsDoc } from './config/settings-doc.js';
