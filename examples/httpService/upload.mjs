import sharp from 'sharp';
import { Refusal } from './refusals.mjs';

/** The first bytes of a JPEG and of a PNG. */
const SIGNATURES = ['ffd8ff', '89504e470d0a1a0a'];

/**
 * The picture of a request: its body, or the first file of its form.
 *
 * @param {import('fastify').FastifyRequest} request
 * @returns {Promise<Buffer<ArrayBuffer>>}
 */
export async function readUpload(request) {
  const bytes = request.isMultipart() ? await readFile(request) : request.body;
  if (bytes instanceof Buffer && bytes.length > 0) return /** @type {Buffer<ArrayBuffer>} */ (bytes);
  throw new Refusal(400, 'The request holds no picture: send its bytes, or a form with a file.');
}

/** @param {import('fastify').FastifyRequest} request */
async function readFile(request) {
  try {
    return await (await request.file())?.toBuffer();
  } catch (error) {
    // The plugin's own refusals, such as that of a file that is too large, have a status; its parser's errors have none.
    if (!(error instanceof Error) || 'statusCode' in error) throw error;
    throw new Refusal(400, `The form cannot be read: ${error.message}.`);
  }
}

/**
 * Refuses what is no JPEG or PNG, whatever it is called, and what would decode into too many pixels. Only the header is read.
 *
 * @param {Buffer} bytes
 * @param {number} maxPixels
 */
export async function checkPicture(bytes, maxPixels) {
  const start = bytes.toString('hex', 0, 8);
  if (!SIGNATURES.some((signature) => start.startsWith(signature))) {
    throw new Refusal(415, 'The upload is neither a JPEG nor a PNG.');
  }
  // sharp's own limit would call a header broken that is not.
  const { width, height } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => {
      throw new Refusal(422, "The picture's header is broken.");
    });
  if (width * height > maxPixels) {
    throw new Refusal(413, `The picture has ${width} x ${height} pixels, and at most ${maxPixels} are taken.`);
  }
}
