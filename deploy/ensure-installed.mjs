/**
 * Installs the packages when they are missing or are not those of package-lock.json, then runs a script with the
 * project's own Node: `node deploy/ensure-installed.mjs [SCRIPT ARGUMENT…]`.
 *
 * Plain JavaScript for Node 18 and later, because it runs before anything is installed, on the machine's own Node.
 * It starts the script itself instead of leaving that to `&& node …`: a POSIX shell remembers where it found `node`
 * and would go on with the machine's.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');

if (!isInstalled()) install();
const [script, ...args] = process.argv.slice(2);
if (script !== undefined) runScript(script, args);

/** npm writes down what it installed when it has finished: it must hold every package of the lock file. */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null) fail('package-lock.json is missing or cannot be read.', 'Take a fresh clone.');
  if (installed === null) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function readPackages(path) {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

function install() {
  process.stderr.write('Installing packages (npm ci), about a minute the first time…\n');
  const npm = process.env.npm_execpath;
  const ci = ['ci', '--include=dev', '--no-audit', '--no-fund', '--progress=true', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const startedMs = Date.now();
  const ticking = ticker();
  const result =
    npm === undefined
      ? spawnSync('npm', ci, { ...options, shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [npm, ...ci], options);
  ticking.kill();
  if (result.error !== undefined)
    fail(`npm could not be started: ${result.error.message}.`, 'Install npm (it comes with Node.js).');
  if (result.status !== 0) {
    fail(
      `npm ci ended with ${result.signal ?? `code ${result.status}`}.`,
      'Look at its messages above: most often the network, a proxy or a full disk. Then start again.',
    );
  }
  process.stderr.write(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.\n`);
}

/** A sign of life every 5 s: npm says nothing while it downloads when the output is no terminal. */
function ticker() {
  const code =
    'let s = 0; setInterval(() => process.stderr.write(`  still installing, ${s += 5} s\\n`), 5000)';
  return spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function runScript(path, args) {
  const node = ownNode();
  const PATH = `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`;
  const child = spawn(node, [path, ...args], { stdio: 'inherit', env: { ...process.env, PATH } });
  child.on('error', (error) =>
    fail(`${node} could not be started: ${error.message}.`, 'Delete node_modules and start again.'),
  );
  // A terminal sends Ctrl-C to the child as well; what a supervisor sends to this process alone is handed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function ownNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return process.execPath;
  const own = join(root, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(own)) return own;
  return fail(
    `This machine has Node ${process.versions.node}, and the package that brings Node ${NODE_MAJOR_MIN} has no binary here.`,
    `Install Node ${NODE_MAJOR_MIN} or later, then start again.`,
  );
}

function fail(message, remedy) {
  process.stderr.write(`error: ${message}\nwhat to do: ${remedy}\n`);
  process.exit(1);
}
