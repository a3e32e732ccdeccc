import { refuse } from '../../io/refuse';
import { type DownloadOptions, downloadBytes } from '../../platform/download';
import type { PublishedChecksum } from './pretrainedNetworks';

/**
 * The SHA-256 that a file must have; out of a Git LFS pointer where that is what is published.
 *
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 * @throws {MobilenetError} `download-failed`, `invalid-data`
 */
export async function publishedSha256(
  checksum: PublishedChecksum,
  options: Pick<DownloadOptions, 'fetch' | 'signal'>,
): Promise<string> {
  if ('sha256' in checksum) return checksum.sha256;
  const text = new TextDecoder().decode(await downloadBytes(checksum.pointerUrl, options));
  const sha256 = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  if (sha256 !== undefined) return sha256;
  const remedy = 'Pass the SHA-256 that the file must have as verify, or { verify: false }.';
  refuse(checksum.pointerUrl, 'a Git LFS pointer with the SHA-256 of the weights', text.slice(0, 100), remedy);
}
