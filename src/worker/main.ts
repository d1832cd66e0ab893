/**
 * The ready-made worker that `connect` starts: `onebit/worker/main.js`, built as one file that can
 * be copied to wherever a page has its scripts.
 * @module
 */
import { serve } from './serve.ts';

serve();
