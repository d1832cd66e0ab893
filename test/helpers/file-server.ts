/** An HTTP server that gives one file, well or badly. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server behaves; by default well. Fields may be changed while it runs. */
export interface Behaviour {
  bytes: Uint8Array;
  etag?: string;
  /** False: a range is ignored, all is given. */
  ranges?: boolean;
  /** Breaks the connection after so many bytes of a body, while the number is not 0. */
  breaks?: { after: number; times: number };
  /** Takes a request over; true if it did. */
  answer?: (request: IncomingMessage, response: ServerResponse, index: number) => boolean;
}

export interface FileServer {
  readonly origin: string;
  /** Ranges that were asked for, in order; '' for all. */
  readonly asked: string[];
  readonly headers: IncomingMessage['headers'][];
}

/** Runs `work` with a server on this machine. */
export async function serving(
  behaviour: Behaviour, work: (server: FileServer) => Promise<void>,
): Promise<void> {
  const asked: string[] = [], headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range ?? '');
    headers.push(request.headers);
    if (behaviour.answer?.(request, response, asked.length - 1)) return;
    give(behaviour, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await work({ origin: `http://127.0.0.1:${port}`, asked, headers });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Answers a request for the file as the server is to behave. */
export function give(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  const { bytes, etag, ranges = true, breaks } = behaviour;
  const [, first, last] = /bytes=(\d+)-(\d*)/.exec(ranges ? request.headers.range ?? '' : '') ?? [];
  const from = Number(first ?? 0), to = last ? Math.min(Number(last) + 1, bytes.length) : bytes.length;
  if (etag) response.setHeader('etag', etag);
  response.setHeader('content-length', to - from);
  if (first !== undefined) response.setHeader('content-range', `bytes ${from}-${to - 1}/${bytes.length}`);
  response.writeHead(first === undefined ? 200 : 206);
  if (breaks && breaks.times > 0 && to - from > breaks.after) {
    breaks.times--;
    response.write(bytes.subarray(from, from + breaks.after), () => response.destroy());
  } else response.end(bytes.subarray(from, to));
}

/** Bytes that repeat nowhere near: byte i is the upper part of i · 2654435761. */
export const someBytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
