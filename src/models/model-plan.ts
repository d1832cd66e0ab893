/**
 * What is known of a real model before its weights are read, whatever file it is in.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import type { EmbeddingFacts } from './embedding-facts.ts';
import type { Activations } from './gguf-plan.ts';

export interface ModelPlan {
  /** As the file names it. */
  readonly architectureName: string;
  readonly config: BitNetConfig;
  readonly activations: Activations;
  /** Bytes of memory of all tensors. */
  readonly bytes: number;
  /** The conversation template that comes with the model. */
  readonly chatTemplate?: string;
  /** How texts are embedded, where the file says. */
  readonly embedding?: EmbeddingFacts;
}
