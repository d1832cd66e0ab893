/**
 * The loss by step, as an SVG: every step faint, a running mean on top, the exact entropy below.
 *
 * Drawn in the pixels of the page, not scaled, so that its text has the size of other text.
 */

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = { top: 26, right: 6, bottom: 40, left: 34 };
/** The mean forgets by this share a step. */
const FORGET = 0.12;
/** Points that are drawn at most: about one a pixel. */
const MAX_POINTS = 600;

export class LossChart {
  readonly #svg: SVGSVGElement;
  #losses: number[] = [];
  #means: number[] = [];
  #steps = 1500;
  #entropy?: number;
  #scheduled = false;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    new ResizeObserver(() => this.#schedule()).observe(svg);
  }

  /** Clears the chart for a run of `steps` steps. */
  begin(steps: number, entropy?: number): void {
    [this.#losses, this.#means, this.#steps, this.#entropy] = [[], [], steps, entropy];
    this.#schedule();
  }

  /** Adds the loss of the next step; the running mean. */
  add(loss: number): number {
    const before = this.#means.at(-1) ?? loss;
    const mean = before + (loss - before) * FORGET;
    this.#losses.push(loss);
    this.#means.push(mean);
    this.#schedule();
    return mean;
  }

  /** At most one drawing a frame. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#svg;
    const highest = Math.max(1.7, ...this.#losses.slice(0, 20));
    const top = Math.ceil(highest * 4) / 4;
    const x = (step: number): number =>
      MARGIN.left + (step / this.#steps) * (width - MARGIN.left - MARGIN.right);
    const y = (loss: number): number =>
      height - MARGIN.bottom - (Math.min(loss, top) / top) * (height - MARGIN.top - MARGIN.bottom);
    const title = this.#svg.querySelector('title')!;
    this.#svg.replaceChildren(title, ...this.#axes(width, height, top, x, y),
      line('raw', path(this.#losses, x, y)), line('mean', path(this.#means, x, y)),
      ...this.#entropyLine(width, y));
  }

  #axes(
    width: number, height: number, top: number, x: (step: number) => number,
    y: (loss: number) => number,
  ): SVGElement[] {
    const right = width - MARGIN.right, parts: SVGElement[] = [];
    for (let loss = 0; loss <= top; loss += 0.5)
      parts.push(
        make('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y(loss), y2: y(loss) }),
        text(loss.toFixed(1), MARGIN.left - 8, y(loss) + 4, 'axis', 'end'));
    const bottom = height - MARGIN.bottom;
    for (const step of niceSteps(this.#steps, width < 480 ? 3 : 6)) {
      const last = x(step) > right - 20;
      parts.push(text(step.toLocaleString('en'), x(step), bottom + 18, 'axis', last ? 'end' : 'middle'));
    }
    parts.push(
      text('loss, nats per character', 0, 13, 'axis', 'start'),
      text('training step', right, bottom + 36, 'axis', 'end'));
    return parts;
  }

  #entropyLine(width: number, y: (loss: number) => number): SVGElement[] {
    const entropy = this.#entropy;
    if (entropy === undefined) return [];
    const right = width - MARGIN.right, at = y(entropy);
    return [
      make('line', { class: 'entropy', x1: MARGIN.left, x2: right, y1: at, y2: at }),
      text(`exact entropy ${entropy.toFixed(3)}`, right, at + 16, 'entropy-text', 'end'),
    ];
  }
}

function make(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function text(content: string, x: number, y: number, kind: string, anchor: string): SVGElement {
  const element = make('text', { x, y, class: kind, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}

const line = (kind: string, d: string): SVGElement => make('path', { class: kind, d });

/** A path through the values of steps 1, 2, …; means of neighbours where they are many. */
function path(
  values: readonly number[], x: (step: number) => number, y: (loss: number) => number,
): string {
  const each = Math.ceil(values.length / MAX_POINTS) || 1, points: string[] = [];
  for (let from = 0; from < values.length; from += each) {
    const part = values.slice(from, from + each);
    const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
    points.push(`${x(from + (part.length + 1) / 2).toFixed(1)} ${y(mean).toFixed(1)}`);
  }
  return points.length > 0 ? `M${points.join('L')}` : '';
}

/** 0 and round steps up to `steps`, about `count` of them. */
function niceSteps(steps: number, count: number): number[] {
  const rough = steps / count, power = 10 ** Math.floor(Math.log10(rough));
  const size = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!);
  return Array.from({ length: Math.floor(steps / size) + 1 }, (_, i) => i * size);
}
