/**
 * How the command line gets files that are behind addresses: what the environment says of the Hub, and a
 * line on a terminal while a file arrives.
 *
 *   HF_TOKEN       sent to the Hub, and nowhere else
 *   HF_ENDPOINT    a mirror in place of the Hub
 *   ONEBIT_CACHE   the folder of received files
 * @module
 */
import type { DownloadProgress, SourceOptions } from '../models.ts';
import { formatBytes } from './format.ts';

/** Options for `openSource` and `load`. */
export function sourceOptions(): SourceOptions {
  const { HF_TOKEN: token, HF_ENDPOINT: endpoint, ONEBIT_CACHE: folder } = process.env;
  return {
    cache: folder || true, ...(token ? { token } : {}), ...(endpoint ? { endpoint } : {}),
    onNotice: (message) => void process.stderr.write(`onebit: ${message}\n`),
    ...(process.stderr.isTTY ? { onDownload: showDownload } : {}),
  };
}

function showDownload({ loaded, total }: DownloadProgress): void {
  const of = total === undefined ? '' : ` of ${formatBytes(total)}`;
  process.stderr.write(`\r\u001b[K${loaded === total ? '' : `receiving ${formatBytes(loaded)}${of}`}`);
}
