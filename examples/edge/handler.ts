// What the edge examples share, in web standards only: answers
//   POST /generate  {"prompt": "…", "maxTokens": 200, "temperature": 0.8, "seed": 1, "stop": "\n"}
//                   with a story, streamed; every field may be left out
//   GET /           with what the server is doing
import type { LanguageModel } from 'onebit';

/** A request that is wrong, and how. */
class BadRequest extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

type Limited = 'maxTokens' | 'temperature' | 'seed';

interface Story {
  prompt: string;
  maxTokens: number;
  temperature: number;
  seed: number;
  /** The text ends before this. Stories end with a line break. */
  stop: string;
}

const MAX_BODY = 64 * 1024;
const DEFAULTS: Story =
  { prompt: 'Once upon a time,', maxTokens: 200, temperature: 0.8, seed: 0, stop: '\n' };
/** Largest values; all numbers but the temperature are integers. */
const LIMITS: Record<Limited, number> = { maxTokens: 4096, temperature: 2, seed: Number.MAX_SAFE_INTEGER };

/** A proxy that compresses would wait for more text than there is. */
const STREAMED = {
  'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), {
    status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Allow: 'POST' },
  });

async function readStory(request: Request): Promise<Story> {
  const text = await request.text();
  if (text.length > MAX_BODY) throw new BadRequest(`the body has more than ${MAX_BODY} characters`, 413);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadRequest('the body is not a JSON object');
  for (const name of Object.keys(body))
    if (!(name in DEFAULTS)) throw new BadRequest(`"${name.slice(0, 40)}" is not known`);
  const story: Story = { ...DEFAULTS, ...body };
  if (typeof story.prompt !== 'string' || story.prompt.length > 4000)
    throw new BadRequest('"prompt" must be a text of at most 4000 characters');
  if (typeof story.stop !== 'string' || story.stop === '' || story.stop.length > 100)
    throw new BadRequest('"stop" must be a text of 1 to 100 characters');
  for (const [name, max] of Object.entries(LIMITS) as [Limited, number][]) {
    const value: unknown = story[name];
    const fits = typeof value === 'number' && value >= 0 && value <= max;
    if (!fits || (name !== 'temperature' && !Number.isInteger(value)))
      throw new BadRequest(
        `"${name}" must be ${name === 'temperature' ? 'a number' : 'an integer'} from 0 to ${max}`);
  }
  return story;
}

/** How often the handler is writing now, and how many pieces of text it has written. */
interface Activity {
  writing: number;
  pieces: number;
}

/** The story as bytes; one piece is computed whenever the reader asks for one. */
function storyStream(
  model: LanguageModel, story: Story, activity: Activity,
): ReadableStream<Uint8Array> {
  const stop = new AbortController(), encoder = new TextEncoder();
  const pieces = model.generate(story.prompt, { ...story, signal: stop.signal });
  let open = true;
  const end = (): void => {
    if (open) activity.writing--;
    open = false;
  };
  activity.writing++;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (!done) {
          activity.pieces++;
          return controller.enqueue(encoder.encode(value));
        }
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    // The client has gone: nothing more is computed, and the cache is given back.
    async cancel() {
      stop.abort();
      await pieces.return(undefined as never);
      end();
    },
  }, { highWaterMark: 0 });
}

/** The handler of a model, which is opened at the first request and kept. */
export function storyHandler(
  open: () => Promise<LanguageModel>,
): (request: Request) => Promise<Response> {
  const activity: Activity = { writing: 0, pieces: 0 };
  let opened: Promise<LanguageModel> | undefined;
  return async (request) => {
    const { pathname } = new URL(request.url);
    try {
      const model = await (opened ??= open());
      if (pathname === '/' && request.method === 'GET')
        return json({ ...activity, ...model.model.engine.info });
      if (pathname !== '/generate') throw new BadRequest('there is nothing here', 404);
      if (request.method !== 'POST') throw new BadRequest('use POST', 405);
      const stream = storyStream(model, await readStory(request), activity);
      return new Response(stream, { headers: STREAMED });
    } catch (error) {
      if (error instanceof BadRequest) return json({ error: error.message }, error.status);
      opened = undefined; // so that the next request tries again
      return json({ error: String(error) }, 500);
    }
  };
}
