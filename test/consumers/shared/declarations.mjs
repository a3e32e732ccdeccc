// Compiles with skipLibCheck off. tfjs's packages have errors in their declarations; one in the app, or in those of this
// package, ends this with code 1.
import { spawnSync } from 'node:child_process';

const options = ['--noEmit', '--skipLibCheck', 'false', '--pretty', 'false'];
const { stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.', ...options], {
  encoding: 'utf8',
});
const errors = stdout.split('\n').filter((line) => /^\S.*error TS/.test(line));
const ours = errors.filter((line) => !/^node_modules\/(?!mobilenet-v1-ts\/)/.test(line));
console.error(`declarations: ${errors.length - ours.length} errors in those of other packages, ${ours.length} in ours`);
if (ours.length > 0) {
  console.error(ours.join('\n'));
  process.exitCode = 1;
}
