export { writeDemo, type DemoOptions, type DemoSummary } from './write-demo.js';
