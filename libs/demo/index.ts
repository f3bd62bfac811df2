export { writeDemo } from './write-demo.js';
export { writeNextDays, type NextDays } from './next-days.js';
export type { DemoFile } from './writing.js';
