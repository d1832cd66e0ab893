/** The few things that every part does with the document. */

/** The element with this id, which is in index.html. */
export const byId = <E extends HTMLElement = HTMLElement>(id: string): E =>
  document.getElementById(id) as E;

/** Says something to screen readers, politely. Sparingly: at turning points, never at every step. */
export const tell = (text: string): void => void (byId('announcer').textContent = text);

/** Shows an error in words, over the page: nothing moves. */
export function explain(text: string): void {
  byId('notice-text').textContent = text;
  byId('notice').hidden = false;
}

/** Closes what `explain` showed. */
export const dismiss = (): void => void (byId('notice').hidden = true);

byId('notice-close').addEventListener('click', dismiss);
document.addEventListener('keydown', ({ key }) => key === 'Escape' && dismiss());

/** The whole number in an input, which the form has checked. */
export const numberIn = (id: string): number => byId<HTMLInputElement>(id).valueAsNumber;

/** 1234567 as 1,234,567. */
export const grouped = (n: number): string => Math.round(n).toLocaleString('en');
