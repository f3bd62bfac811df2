export { writeDemo, type DemoFile } from './write-demo.js';
