import { createServer } from 'node:net';

// What all programs of `npm start` do, and what FAKE_API, FAKE_WORKER and FAKE_POSTGRES make them do instead.
export function behave(name) {
  switch (process.env[`FAKE_${name.toUpperCase()}`]) {
    case 'wrong-settings':
      console.error('PORT = "x": must be a port');
      process.exit(2);
      break;
    case 'broken':
      console.error('Error: cannot find the moon');
      process.exit(1);
      break;
    case 'deaf':
      process.on('SIGTERM', () => console.log('not now'));
      // Nothing else keeps it alive.
      createServer().listen(0, '127.0.0.1');
      break;
    default:
      process.once('SIGTERM', () => process.exit(0));
      process.once('disconnect', () => process.exit(0));
  }
  const time = new Date().toISOString();
  console.log(
    JSON.stringify({ level: 40, time, name, msg: `${name} begins`, pid: process.pid, [name]: process.pid, rows: 3 }),
  );
  console.log(`plain words of the ${name}`);
}
