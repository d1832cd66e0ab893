/**
 * Looking at the page: contrast, names of controls, requests. Functions that run in the page, so each
 * stands for itself.
 * @module
 */
import type { Probe } from './probe.ts';

/**
 * Texts with less contrast than WCAG 2.2 asks of normal text (4.5 : 1), and edges of controls with
 * less than 3 : 1.
 *
 *   contrast = (L₁ + 0.05) / (L₂ + 0.05), L = 0.2126 R + 0.7152 G + 0.0722 B, linear
 */
export function weakContrasts(): string[] {
  const rgba = (text: string): number[] => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g)!.map(Number);
    return [r, g, b, a];
  };
  const luminance = (colour: number[]): number => {
    const [r, g, b] = colour.map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): number[] => {
    for (; element; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const contrast = (a: number[], b: number[]): number => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const weak: string[] = [];
  let looked = 0;
  for (const element of document.querySelectorAll('body *')) {
    const { color, fill, borderTopColor, visibility } = getComputedStyle(element);
    const shown = element.getClientRects().length > 0 && visibility === 'visible';
    if (!shown || element.matches(':disabled, :disabled + *')) continue;
    const own = [...element.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== '');
    if (own || element.matches('input, textarea')) {
      looked++;
      const ratio = contrast(rgba(element instanceof SVGElement ? fill : color), behind(element));
      if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${element.textContent!.trim().slice(0, 40)}`);
    }
    if (!element.matches('input:not([type=file]), textarea, button:not(.primary)')) continue;
    const ratio = contrast(rgba(borderTopColor), behind(element.parentElement));
    if (ratio < 3) weak.push(`${ratio.toFixed(2)} edge of ${element.id}`);
  }
  return looked < 30 ? [`only ${looked} texts were looked at`] : weak;
}

/** Addresses that were loaded from elsewhere. */
export const foreignRequests = (): string[] =>
  performance.getEntriesByType('resource').map(({ name }) => name)
    .filter((name) => !name.startsWith(`${location.origin}/`) && !name.startsWith('blob:'));

/** What must not be in a page that people reach by keyboard: headings that skip, orders that jump. */
export function structureFaults(): string[] {
  const faults: string[] = [];
  const levels = [...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.nodeName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push('not exactly one h1');
  levels.forEach((level, i) => {
    if (i > 0 && level > levels[i - 1] + 1) faults.push('a heading level is skipped');
  });
  for (const element of document.querySelectorAll('[tabindex]'))
    if (Number(element.getAttribute('tabindex')) > 0) faults.push(`tabindex of ${element.id}`);
  if (!document.documentElement.lang) faults.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) faults.push(`id ${id} twice`);
  return faults;
}

/** Whether a phone's width (in a frame) makes the page scroll sideways: what sticks out. */
export async function sticksOut(width: number): Promise<string[]> {
  const frame = document.createElement('iframe');
  frame.src = location.href;
  frame.width = String(width);
  frame.height = '740';
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener('load', resolve));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const inside = frame.contentDocument!, { clientWidth, scrollWidth } = inside.documentElement;
  const wide = [...inside.querySelectorAll('body *:not(.for-readers)')]
    .filter((element) => element.getBoundingClientRect().right > width + 0.5)
    .map((element) => `${element.nodeName} ${element.id || element.className}`);
  frame.remove();
  if (clientWidth === 0 || clientWidth > width) return [`the frame is ${clientWidth} wide`];
  return scrollWidth > clientWidth ? [`${scrollWidth} > ${clientWidth}`, ...wide] : [];
}

/** The last export's bytes, as base64. */
export async function exportedBytes(): Promise<string | undefined> {
  const { blob } = (window as unknown as { probe: Probe }).probe;
  if (!blob || blob.type !== 'application/octet-stream') return undefined;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** Drops a file on the page, as a person would. */
export function dropFile(name: string, base64: string): void {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const target = document.querySelector('main')!;
  for (const type of ['dragenter', 'dragover', 'drop'])
    target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
}
