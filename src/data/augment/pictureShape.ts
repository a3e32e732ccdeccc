/** The size of a picture `[H,W,C]`. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
