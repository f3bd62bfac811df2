export {
  writeDemo,
  type DemoFile,
  type DemoOptions,
  type DemoProgress,
  type DemoSpan,
  type DemoSummary,
} from './write-demo.js';
