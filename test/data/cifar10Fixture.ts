import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { packTar, type TarHeader } from 'modern-tar';
import { CIFAR_10_FILES, CIFAR_10_FOLDER, type Cifar10Release } from '../../src/data/cifar10Format';

export const RECORDS_PER_FILE = 20;

/** Files of CIFAR-10's format; label and pixels follow from where they stand, so that tests can recompute them. */
export function makeFiles(recordsPerFile = RECORDS_PER_FILE): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(
    CIFAR_10_FILES.map((name, file) => {
      const bytes = new Uint8Array(recordsPerFile * 3073);
      for (let record = 0; record < recordsPerFile; record++) {
        const start = record * 3073;
        bytes[start] = labelAt(file, record);
        if (recordsPerFile > 1000) continue; // Full-size files are for sizes and times only.
        for (let i = 0; i < 3072; i++) bytes[start + 1 + i] = byteAt(file, record, i >> 10, i & 1023);
      }
      return [name, bytes];
    }),
  );
}

export const labelAt = (file: number, record: number) => (record * 7 + file) % 10;
export const byteAt = (file: number, record: number, channel: number, pixel: number) =>
  (file * 41 + record * 13 + channel * 101 + pixel * 3) & 255;

export interface Member {
  name: string;
  body?: Uint8Array | string;
  type?: TarHeader['type'];
  linkname?: string;
}

/** The members of an archive as the official one has them: in no order, texts in between. */
export function officialMembers(files = makeFiles()): Member[] {
  const inFolder = (name: string, body: Uint8Array | string) => ({ name: `${CIFAR_10_FOLDER}/${name}`, body });
  const pictures = [...files].map(([name, bytes]) => inFolder(name, bytes)).reverse();
  return [
    { name: `${CIFAR_10_FOLDER}/`, type: 'directory' },
    ...pictures.slice(0, 2),
    inFolder('batches.meta.txt', 'airplane\n'),
    ...pictures.slice(2, 5),
    inFolder('readme.html', '<html>'),
    ...pictures.slice(5),
  ];
}

export async function makeArchive(members = officialMembers()): Promise<Uint8Array<ArrayBuffer>> {
  const tar = await packTar(
    members.map(({ name, body = '', type = 'file', linkname }) => ({
      header: { name, type, size: body.length, mtime: new Date(0), ...(linkname ? { linkname } : {}) },
      ...(type === 'file' ? { body } : {}),
    })),
  );
  return new Uint8Array(gzipSync(tar, { level: 1 }));
}

export function releaseOf(url: string, archive: Uint8Array): Cifar10Release {
  const sha256 = createHash('sha256').update(archive).digest('hex');
  return { url, archive: { size: archive.length, sha256 }, recordsPerFile: RECORDS_PER_FILE };
}

/** A web server on this machine; the requests it got are counted. */
export async function startServer(listener: RequestListener) {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/cifar-10-binary.tar.gz`,
    requests: () => requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
