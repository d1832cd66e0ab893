/**
 * The signs of a matrix, as a grid of squares; those that just flipped in the accent colour.
 *
 * Squares are a whole number of screen pixels, so that the grid is even at any size.
 */
import type { SignView } from 'onebit/worker';

/** How much of a flip's colour is left at the next picture. */
const FADE = 0.55;
/** Pictures a second at most where people ask for less motion, and then without fading. */
const CALM_INTERVAL = 1000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class SignGrid {
  readonly #canvas: HTMLCanvasElement;
  #view?: SignView;
  #drawn?: Int8Array;
  #heat = new Float32Array(0);
  #shownAt = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas.parentElement!);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Shows the signs as they are now, and what changed since the last picture. */
  show(view: SignView): void {
    const { rows, cols, codes, step, flips } = view, now = performance.now();
    if (calm.matches && step > 0 && now - this.#shownAt < CALM_INTERVAL) return;
    this.#shownAt = now;
    const before = step > 0 && this.#drawn?.length === codes.length ? this.#drawn : codes;
    if (this.#heat.length !== codes.length) this.#heat = new Float32Array(codes.length);
    this.#heat.forEach((heat, i) => {
      this.#heat[i] = codes[i] !== before[i] ? 1 : calm.matches ? 0 : heat * FADE;
    });
    [this.#view, this.#drawn] = [view, codes];
    const plus = codes.reduce((count, sign) => count + (sign > 0 ? 1 : 0), 0) / codes.length;
    this.#canvas.setAttribute('aria-label',
      `Signs of ${rows} by ${cols} weights after step ${step}: ${Math.round(plus * 100)} percent are +1, ` +
      `${flips} flips so far in the matrix`);
    this.#draw();
  }

  #draw(): void {
    const side = this.#view?.rows ?? 64, canvas = this.#canvas;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    const cell = Math.max(1, Math.floor(size / side)), at = (size - cell * side) >> 1;
    const gap = cell >= 5 ? 1 : 0, context = canvas.getContext('2d')!;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const colour = coloursOf(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let r = 0; r < side; r++)
      for (let c = 0; c < side; c++) {
        const sign = this.#view ? this.#view.codes[r * side + c] : -1;
        const heat = this.#view ? this.#heat[r * side + c] : 0;
        const square = [at + c * cell, at + r * cell, cell - gap, cell - gap] as const;
        context.fillStyle = sign > 0 ? colour.plus : colour.minus;
        context.fillRect(...square);
        if (heat < 0.05) continue;
        context.globalAlpha = heat;
        context.fillStyle = colour.accent;
        context.fillRect(...square);
        context.globalAlpha = 1;
      }
  }
}

function coloursOf(element: HTMLElement): Record<'plus' | 'minus' | 'accent', string> {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return { plus: token('plus'), minus: token('minus'), accent: token('accent') };
}
