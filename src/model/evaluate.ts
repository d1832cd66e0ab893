/**
 * Loss of a model on a text: the mean of −ln p(token | up to T − 1 tokens before it), in nats.
 *
 * The text is cut into windows of T tokens, one after the other; the last may be shorter. Every
 * token but the first is predicted once. Losses are added in the order of the text, in f64, so the
 * result is the same bits at any batch size.
 * @module
 */
import type { BitNet } from './bitnet.ts';

export interface Evaluation {
  /** Mean loss in nats per token. */
  readonly loss: number;
  /** Sum over all predicted tokens, in nats. */
  readonly nats: number;
  /** Tokens predicted. */
  readonly tokens: number;
}

export interface EvaluateOptions {
  /** Windows computed at a time; speed only. Default 8. */
  readonly batch?: number;
  /** Stop after about this many tokens. Default: all. */
  readonly maxTokens?: number;
  /** Window length T. Default: the model's context. */
  readonly context?: number;
}

/**
 * @param tokens at least two
 * @throws {RangeError} If there are fewer.
 * @throws {TokenizerError} BAD_TOKEN_ID
 */
export function evaluate(
  model: BitNet, tokens: ArrayLike<number>, options: EvaluateOptions = {},
): Evaluation {
  const context = options.context ?? model.config.maxPositionEmbeddings;
  const ids = Uint32Array.from(tokens);
  const count = Math.min(ids.length - 1, options.maxTokens ?? Infinity);
  if (count < 1) throw new RangeError(`evaluate: "tokens" expected at least 2, got ${ids.length}`);
  let nats = 0, at = 0;
  const take = (batch: number, length: number): void => {
    const end = at + batch * length;
    const losses = model.losses(ids.subarray(at, end), ids.subarray(at + 1, end + 1), batch);
    for (const loss of losses) nats += loss;
    at = end;
  };
  for (let windows = Math.floor(count / context); windows > 0;) {
    const batch = Math.min(windows, options.batch ?? 8);
    take(batch, context);
    windows -= batch;
  }
  if (at < count) take(1, count - at);
  return { loss: nats / count, nats, tokens: count };
}
