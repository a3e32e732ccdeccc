import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Writes a generated source unless it is there already, renamed into place, so that no reader ever sees half a file.
 *
 * @param {string} output
 * @param {string} text
 */
export function writeGenerated(output, text) {
  if (existsSync(output) && readFileSync(output, 'utf8') === text) return;
  const temporary = `${output}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, output);
}
