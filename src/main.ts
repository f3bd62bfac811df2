import { main } from './command-line.js';
import { withProcess } from './process-end.js';

await withProcess((signal) => main(process.argv.slice(2), signal));
