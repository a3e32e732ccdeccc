/** An argument as a shell reads it back: cmd.exe and PowerShell on Windows, else any POSIX shell. */
export function quote(argument: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(argument) && (platform === 'win32' || !argument.includes('\\'))) return argument;
  if (platform === 'win32') return `"${argument.replaceAll('"', '\\"')}"`;
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
