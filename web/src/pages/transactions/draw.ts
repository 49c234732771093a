import { type Dots, HEAT } from '../../api/scatter.ts';
import type { Heat } from '../../api/types.ts';
import { type Axes, columns, rows, toX, toY } from './axis.ts';

/** Red, green and blue, 0 to 255. */
export type Rgb = [number, number, number];

export interface Colours {
  dot: Rgb;
  failed: Rgb;
  line: string;
}

/** The colours of the theme that is on. */
export function colours(of: Element): Colours {
  const style = getComputedStyle(of);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { dot: rgb(read('--mx-s1')), failed: rgb(read('--mx-critical')), line: read('--mx-line') };
}

function rgb(hex: string): Rgb {
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** Lines at the axes' ticks, beneath what is drawn already. */
export function lines(context: CanvasRenderingContext2D, axes: Axes, colour: string, scale: number) {
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = colour;
  for (const us of rows(axes)) context.fillRect(0, Math.round(toY(axes, us) * scale), axes.width * scale, 1);
  for (const ms of columns(axes)) context.fillRect(Math.round(toX(axes, ms) * scale), 0, 1, axes.height * scale);
}

/** What a pixel on which n dots lie lets through of what is beneath: each lets half. */
const COVER = Uint8Array.from({ length: 9 }, (_, n) => 255 * (1 - 0.5 ** n));
/** Marks a pixel of a cross, which lies above all squares. */
const CROSS = 255;

/**
 * Dots straight into pixels: a canvas call for each would take longer than all
 * else. One that did not fail is a square that darkens where others lie on it;
 * one that failed is a cross, above them.
 */
export function paint(context: CanvasRenderingContext2D, axes: Axes, dots: Dots, colour: Colours, scale: number) {
  const { width, height } = context.canvas;
  const layers = new Uint8Array(width * height);
  const { ended, elapsed, failed } = dots;
  const size = Math.round(3 * scale);
  for (const crosses of [0, 1]) {
    for (let i = 0; i < ended.length; i++) {
      if (failed[i] !== crosses) continue;
      const x = Math.round(toX(axes, ended[i] ?? 0) * scale);
      const y = Math.round(toY(axes, elapsed[i] ?? 0) * scale);
      if (x < 0 || x > width) continue;
      if (crosses) cross(layers, width, height, x, y, size);
      else square(layers, width, height, x, y, size);
    }
  }
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const [dot, wrong] = [abgr(colour.dot), abgr(colour.failed)];
  for (let at = 0; at < pixels.length; at++) {
    const layer = layers[at] ?? 0;
    if (layer === CROSS) pixels[at] = (0xff000000 | wrong) >>> 0;
    else if (layer > 0) pixels[at] = (((COVER[layer] ?? 0) << 24) | dot) >>> 0;
  }
  context.putImageData(image, 0, 0);
}

/** A colour as a little-endian machine keeps a pixel. */
const abgr = ([r, g, b]: Rgb) => (b << 16) | (g << 8) | r;

function square(layers: Uint8Array, width: number, height: number, x: number, y: number, size: number) {
  const left = Math.max(x - (size >> 1), 0);
  const right = Math.min(x - (size >> 1) + size, width);
  const top = Math.max(y - (size >> 1), 0);
  const bottom = Math.min(y - (size >> 1) + size, height);
  for (let row = top; row < bottom; row++) {
    for (let at = row * width + left; at < row * width + right; at++) {
      const layer = layers[at] ?? 0;
      if (layer < COVER.length - 1) layers[at] = layer + 1;
    }
  }
}

function cross(layers: Uint8Array, width: number, height: number, x: number, y: number, size: number) {
  for (let d = -size; d <= size; d++) {
    for (const row of [y + d, y - d]) {
      if (row < 0 || row >= height) continue;
      for (let column = Math.max(x + d, 0); column <= Math.min(x + d + 1, width - 1); column++) {
        layers[row * width + column] = CROSS;
      }
    }
  }
}

/** Cells as dark as they are full, on a logarithmic scale; the failed share is a bar at a cell's foot. */
export function heat(context: CanvasRenderingContext2D, cells: Heat, colour: Colours) {
  const { width, height } = context.canvas;
  const { x: xs, y: ys, count, failed } = cells as { x: number[]; y: number[]; count: number[]; failed: number[] };
  const most = Math.log1p(count.reduce((a, b) => Math.max(a, b), 1));
  const w = width / HEAT.columns;
  const h = height / HEAT.rows;
  for (let i = 0; i < xs.length; i++) {
    const n = count[i] ?? 0;
    const x = (xs[i] ?? 0) * w;
    const y = height - ((ys[i] ?? 0) + 1) * h;
    context.fillStyle = `rgb(${colour.dot.join(' ')} / ${0.12 + (0.88 * Math.log1p(n)) / most})`;
    context.fillRect(x, y, Math.ceil(w) - 1, Math.ceil(h) - 1);
    if (!failed[i]) continue;
    context.fillStyle = `rgb(${colour.failed.join(' ')})`;
    context.fillRect(x, y + h * 0.6, Math.max(3, (w - 1) * ((failed[i] ?? 0) / n)), Math.ceil(h * 0.4) - 1);
  }
}

/** The dot nearest to a point of the plot, at most so many pixels away. */
export function nearest(axes: Axes, dots: Dots, x: number, y: number, within = 7): number | undefined {
  let best: number | undefined;
  let least = within * within;
  for (let i = 0; i < dots.ended.length; i++) {
    const dx = toX(axes, dots.ended[i] ?? 0) - x;
    if (Math.abs(dx) > within) continue;
    const distance = dx * dx + (toY(axes, dots.elapsed[i] ?? 0) - y) ** 2;
    if (distance <= least) [best, least] = [i, distance];
  }
  return best;
}
