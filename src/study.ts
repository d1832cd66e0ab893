/**
 * The paper's evidence, reproduced small: `onebit/study`.
 *
 * An entry of its own, so that programs that train or run models do not load it.
 *
 * @example
 * import { createEngine } from 'onebit';
 * import { memoryStore, prepareStudies, runStudy, stability } from 'onebit/study';
 * const engine = createEngine(), store = memoryStore();
 * const context = prepareStudies([stability], { engine, store, scale: 'quick' });
 * const { tables, charts, notes } = await runStudy(stability, context);
 * @module
 */
export type { Axis, Bar, BarChart, Chart, Level, PlotChart, Point, Series } from './study/chart.ts';
export { fingerprint } from './study/fingerprint.ts';
export type { Store } from './study/store.ts';
export { memoryStore } from './study/store.ts';
export type {
  PlannedRun, Scale, Study, StudyContext, StudyOptions, StudyReport, StudyResult,
} from './study/study.ts';
export { SCALES, prepareStudies, runStudy } from './study/study.ts';
export type { Cell, Column, Table } from './study/table.ts';
export { toCsv, toMarkdown } from './study/table.ts';
export type { RunRecord, TrainedRun, TrainingSpec } from './study/training-run.ts';
export { openRun, planRun, trainRun } from './study/training-run.ts';
export type { StudyProgress } from './study/work-meter.ts';
export { WorkMeter } from './study/work-meter.ts';
