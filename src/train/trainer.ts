/**
 * Training, one step at a time: draw, forward, backward, update.
 *
 *   trainer = new Trainer(engine, config, dataset, options)
 *   while (!trainer.done) trainer.step()
 *
 * Everything that decides the next step is in the weights, the optimizer's moments, the step count
 * and the generator's state, all of which a checkpoint holds (`checkpoint.ts`).
 * @module
 */
import { BitNet } from '../model/bitnet.ts';
import type { BitNetConfig } from '../model/config.ts';
import type { Evaluation } from '../model/evaluate.ts';
import { evaluate } from '../model/evaluate.ts';
import { TrainedWeights } from '../model/weights.ts';
import { Rng } from '../rng.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Dataset } from './data.ts';
import { checkDataset, drawBatch } from './data.ts';
import { initialize } from './initialize.ts';
import { applyStep, gradientNorm, nonFinite } from './optimizer.ts';
import type { TrainingOptions } from './options.ts';
import { ratesAt } from './schedule.ts';

/** What a step did. */
export interface StepReport {
  /** Steps done, this one included. */
  readonly step: number;
  /** Mean loss of the step's tokens before the update, nats per token. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokens: number;
}

/** Streams of the seed: one for the weights, one for the order of the data. */
const WEIGHT_STREAM = 0;
const DATA_STREAM = 1;

export class Trainer {
  readonly model: BitNet;
  readonly config: BitNetConfig;
  readonly dataset: Dataset;
  readonly options: TrainingOptions;
  readonly weights: TrainedWeights;
  readonly rng: Rng;
  #step = 0;

  /** @throws {TrainingError} BAD_DATA if a part is shorter than one context. */
  constructor(engine: Engine, config: BitNetConfig, dataset: Dataset, options: TrainingOptions) {
    this.config = config;
    this.options = options;
    this.dataset = checkDataset(dataset, config.maxPositionEmbeddings);
    [this.weights, this.model] = engine.heap.allOrNothing(() => {
      const weights = new TrainedWeights(engine, config);
      return [weights, new BitNet(config, weights)];
    });
    initialize(this.weights, config.numHiddenLayers, new Rng(options.seed, WEIGHT_STREAM));
    this.rng = new Rng(options.seed, DATA_STREAM);
  }

  /** Steps done. */
  get stepsDone(): number {
    return this.#step;
  }

  get done(): boolean {
    return this.#step >= this.options.steps;
  }

  /** Goes to a step whose weights, moments and generator were just put in place. */
  resumeAt(step: number): void {
    this.#step = step;
    this.#clearGradients();
    this.model.invalidate();
  }

  /**
   * One optimizer step.
   *
   * @throws {TrainingError} NON_FINITE, with step and tensor; no weight has changed then.
   */
  step(): StepReport {
    try {
      return this.model.engine.run(() => this.#oneStep());
    } catch (error) {
      this.#clearGradients();
      throw error;
    }
  }

  #clearGradients(): void {
    const { engine, gradients, count } = this.weights;
    engine.f32(gradients, count).fill(0);
  }

  #oneStep(): StepReport {
    const { options, weights, model } = this;
    const context = this.config.maxPositionEmbeddings;
    const tokens = options.batch * context * options.accumulation;
    let sum = 0;
    for (let i = 0; i < options.accumulation; i++) {
      const { ids, targets } = drawBatch(this.dataset.train, options.batch, context, this.rng);
      for (const loss of model.lossesAndGradients(ids, targets, options.batch, 1 / tokens))
        sum += loss;
    }
    if (!Number.isFinite(sum)) throw nonFinite(weights, this.#step + 1);
    const norm = gradientNorm(weights, this.#step + 1);
    const rates = ratesAt(this.#step, options, model.engine.kernels.pow);
    applyStep(weights, this.#step, norm, rates, options);
    model.invalidate();
    this.#step++;
    return {
      step: this.#step, loss: sum / tokens, learningRate: rates.learningRate,
      gradientNorm: norm, tokens,
    };
  }

  /** Loss on the validation part, or on as much of it as `maxTokens` allows. */
  validate(maxTokens?: number): Evaluation {
    return evaluate(this.model, this.dataset.validation, { batch: this.options.batch, maxTokens });
  }

  dispose(): void {
    this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
