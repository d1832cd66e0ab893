/**
 * A script that the tests put before the page's own: it writes down what must not happen.
 *
 * It is text, because it is served as a file; the page's policy allows no inline script.
 * @module
 */

/** What the script keeps, as `window.probe`. */
export interface Probe {
  /** Errors and warnings of the console, uncaught errors, violations of the policy. */
  problems: string[];
  /** Sum of layout shifts that no input caused, where the browser measures it; else undefined. */
  shift?: number;
  shifted: string[];
  /** The newest blob that was given an address: the last export. */
  blob?: Blob;
}

export const PROBE = `
const probe = window.probe = { problems: [], shifted: [] };
const note = (kind, text) => probe.problems.push(kind + ': ' + text);
for (const kind of ['error', 'warn']) {
  const original = console[kind];
  console[kind] = (...values) => {
    note('console.' + kind, values.join(' '));
    original.apply(console, values);
  };
}
addEventListener('error', (event) =>
  note('error', event.message || 'cannot load ' + event.target?.src), true);
addEventListener('unhandledrejection', ({ reason }) => note('unhandled rejection', reason));
addEventListener('securitypolicyviolation', (event) =>
  note('policy', event.violatedDirective + ' ' + event.blockedURI));
const createObjectURL = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  probe.blob = blob;
  return createObjectURL.call(URL, blob);
};
if (PerformanceObserver.supportedEntryTypes.includes('layout-shift')) {
  probe.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      probe.shift += entry.value;
      for (const { node } of entry.sources)
        probe.shifted.push(node?.id || node?.className || node?.nodeName);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}
`;
