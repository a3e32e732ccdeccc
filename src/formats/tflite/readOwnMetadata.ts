import { refuse } from '../../io/refuse';
import { type FileMetadata, METADATA_KEY, readMetadata } from '../fileMetadata';
import type { TfliteFile } from './tfliteFile';

/** What a file of ours says of its pictures and classes; nothing for one of others. */
export function readOwnMetadata({ metadata, where }: TfliteFile): FileMetadata {
  const bytes = metadata(METADATA_KEY);
  if (!bytes) return {};
  try {
    return readMetadata(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    return refuse(where, `the entry ${METADATA_KEY} to be JSON`, (error as Error).message, undefined, error);
  }
}
