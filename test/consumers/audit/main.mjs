// What npm knows of holes in the package and in what it brings. With --ask: whether the registry can say at all.
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const { metadata, message, vulnerabilities } = JSON.parse(stdout);

if (process.argv.includes('--ask')) {
  if (metadata === undefined) {
    console.error(`the registry answers no audit: ${message.split(' - ')[0]}`);
    process.exitCode = 1;
  }
} else {
  for (const { name, severity, range } of Object.values(vulnerabilities)) {
    console.error(`${severity}: ${name} ${range}`);
    process.exitCode = 1;
  }
}
