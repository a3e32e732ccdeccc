// What runs in the page: pictures of every kind that browsers have, read by the library's sources.
import type { ClassifierImage } from '../../src/classify/classifierImage';
import { readImage } from '../../src/classify/readImage';

const WIDTH = 64;
const HEIGHT = 48;

/** Four fields of one colour each: red, green, blue and grey. */
const COLOURS = ['rgb(200,0,0)', 'rgb(0,150,0)', 'rgb(0,0,250)', 'rgb(99,99,99)'];

function paint<Canvas extends HTMLCanvasElement | OffscreenCanvas>(canvas: Canvas): Canvas {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  COLOURS.forEach((colour, i) => {
    context.fillStyle = colour;
    context.fillRect((i % 2) * (WIDTH / 2), i < 2 ? 0 : HEIGHT / 2, WIDTH / 2, HEIGHT / 2);
  });
  return canvas;
}

function canvasElement(width = WIDTH, height = HEIGHT): HTMLCanvasElement {
  return Object.assign(document.createElement('canvas'), { width, height });
}

const offscreen = () => paint(new OffscreenCanvas(WIDTH, HEIGHT));
const dataUrl = () => paint(canvasElement()).toDataURL('image/png');

function imgElement(src: string, crossOrigin: string | null = null): HTMLImageElement {
  const image = new Image(7, 7);
  image.crossOrigin = crossOrigin;
  image.src = src;
  return image;
}

async function playing(): Promise<HTMLVideoElement> {
  const canvas = canvasElement();
  // A stream has no frame before something is drawn.
  const stream = paint(canvas).captureStream();
  const video = Object.assign(document.createElement('video'), { srcObject: stream, muted: true });
  const repaint = setInterval(() => paint(canvas), 20);
  await video.play();
  clearInterval(repaint);
  return video;
}

async function tainted(foreign: string): Promise<HTMLCanvasElement> {
  const image = imgElement(foreign);
  await image.decode();
  const canvas = canvasElement();
  canvas.getContext('2d')!.drawImage(image, 0, 0);
  return canvas;
}

async function closedBitmap(): Promise<ImageBitmap> {
  const bitmap = await createImageBitmap(offscreen());
  bitmap.close();
  return bitmap;
}

function videoFrame(isClosed = false): VideoFrame {
  const frame = new VideoFrame(offscreen(), { timestamp: 0 });
  if (isClosed) frame.close();
  return frame;
}

type Make = (address: string) => ClassifierImage | Promise<ClassifierImage>;

/** `address` is that of a file, where the kind needs one. */
const kinds = {
  ImageData: () => offscreen().getContext('2d')!.getImageData(0, 0, WIDTH, HEIGHT),
  'an <img> that is still loading': () => imgElement(dataUrl()),
  'an <img> in the page': async () => {
    const image = imgElement(dataUrl());
    document.body.append(image);
    await image.decode();
    return image;
  },
  '<canvas>': () => paint(canvasElement()),
  '<video>': playing,
  OffscreenCanvas: offscreen,
  ImageBitmap: () => createImageBitmap(offscreen()),
  VideoFrame: () => videoFrame(),
  Blob: () => offscreen().convertToBlob(),
  'bytes of a PNG': async () => (await offscreen().convertToBlob()).arrayBuffer(),
  'data: URL': dataUrl,
  'blob: URL': async () => URL.createObjectURL(await offscreen().convertToBlob()),
  address: (address) => address,
  URL: (address) => new URL(address),
  'an <img> of another site, by CORS': (address) => imgElement(address, 'anonymous'),

  'an <img> of another site': (address) => imgElement(address),
  'a tainted <canvas>': (address) => tainted(address),
  'an <img> that is missing': (address) => imgElement(address),
  'an <img> without src': () => new Image(),
  'a <canvas> without pixels': () => canvasElement(0, 5),
  'a closed ImageBitmap': closedBitmap,
  'a closed VideoFrame': () => videoFrame(true),
  'an empty <video>': () => document.createElement('video'),
  'bytes of text': () => new TextEncoder().encode('This is no picture.'),
  'a path': () => 'folder/cat.jpg',
} satisfies Record<string, Make>;

export type Kind = keyof typeof kinds;

/** The picture's size and pixels, or the error's code and message. */
async function read(kind: Kind, address: string, channels = 3) {
  const image = await (kinds[kind] as Make)(address);
  try {
    const { data, width, height } = await readImage(image, { where: 'classify', channels });
    return { width, height, data: Array.from(data) };
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    return { name, code, message };
  }
}

/** The first red value of a canvas that is painted over as soon as the call has returned. */
async function readThenRepaint() {
  const canvas = offscreen();
  const reading = readImage(canvas, { where: 'classify', channels: 3 });
  canvas.getContext('2d')!.fillRect(0, 0, WIDTH, HEIGHT);
  return (await reading).data[0];
}

const images = { read, readThenRepaint };
export type Images = typeof images;
Object.assign(window, { images });
