// Makes a checkout runnable. Node's own modules only: on a bare clone there is nothing else.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const leastNode = [20, 19];

/** Written as the last step of a build, so that an interrupted one does not count. */
const buildStamp = join(root, 'dist', '.built');

export async function prepare() {
  requireNode();
  if (isInstallStale())
    await npm('Installing packages (once, about half a minute) …', ['ci', '--include=dev', '--no-audit', '--no-fund']);
  if (isBuildStale()) await npm('Building …', ['run', '--silent', 'build']);
}

export function isBuilt() {
  return existsSync(buildStamp);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return;
  throw new Error(
    `Node ${leastNode.join('.')} or later is needed, this is ${process.versions.node}: see https://nodejs.org`,
  );
}

/** npm writes its hidden lock file last, so one that is missing or old means an unfinished or outdated install. */
function isInstallStale() {
  return modifiedMs(join(root, 'node_modules', '.package-lock.json')) < modifiedMs(join(root, 'package-lock.json'));
}

function isBuildStale() {
  const sources = ['src', 'libs', 'apps/api', 'apps/worker'].map((folder) => newestMs(join(root, folder)));
  return (
    modifiedMs(buildStamp) <
    Math.max(...sources, modifiedMs(join(root, '.swcrc')), modifiedMs(join(root, 'package.json')))
  );
}

/** Of a folder and all in it; a folder's own time tells of files that went away. */
function newestMs(folder) {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { withFileTypes: true }).reduce((newest, entry) => {
    const path = join(folder, entry.name);
    return Math.max(newest, entry.isDirectory() ? newestMs(path) : modifiedMs(path));
  }, modifiedMs(folder));
}

function modifiedMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** Its output goes to standard error: standard output belongs to the command. */
async function npm(message, args) {
  console.error(message);
  const own = process.env.npm_execpath;
  const [command, first] = own ? [process.execPath, [own]] : ['npm', []];
  const child = spawn(command, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: !own && process.platform === 'win32',
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed: see its messages above, then try again`);
}
