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
export { accuracy } from './study/accuracy.ts';
export type { ArithmeticEnergy, OperationCounts, ProcessNode } from './study/arithmetic-energy.ts';
export { OPERATION_ENERGY, arithmeticEnergy, operationCounts } from './study/arithmetic-energy.ts';
export type { Share } from './study/binomial.ts';
export { wilson } from './study/binomial.ts';
export type { Axis, Bar, BarChart, Chart, Level, PlotChart, Point, Series } from './study/chart.ts';
export { drawChart } from './study/chart-svg.ts';
export type { EnergyCell } from './study/energy.ts';
export { energy, energyCells } from './study/energy.ts';
export { fingerprint } from './study/fingerprint.ts';
export type { Estimate, PowerLaw } from './study/power-law.ts';
export { fitPowerLaw, predict } from './study/power-law.ts';
export type { Files, Provenance } from './study/report.ts';
export type { CalibrationText } from './study/ptq/calibration.ts';
export type { QuantizationMethod, QuantizationScheme } from './study/ptq/quantize-model.ts';
export { quantizeModel } from './study/ptq/quantize-model.ts';
export { quantization } from './study/quantization.ts';
export { reportFiles } from './study/report.ts';
export { scaling } from './study/scaling.ts';
export type { TaskOptions, TaskResult } from './study/score.ts';
export { Scorer, runTask } from './study/score.ts';
export { stability } from './study/stability.ts';
export type { TaskKind } from './study/story-tasks.ts';
export { TASK_KINDS, storyTask } from './study/story-tasks.ts';
export type { Store } from './study/store.ts';
export { memoryStore } from './study/store.ts';
export { STUDIES, studiesNamed } from './study/studies.ts';
export type {
  PlannedRun, Scale, Study, StudyContext, StudyOptions, StudyReport, StudyResult,
} from './study/study.ts';
export { SCALES, prepareStudies, runStudy } from './study/study.ts';
export type { Cell, Column, Table } from './study/table.ts';
export { toCsv, toMarkdown } from './study/table.ts';
export type { TokenWork } from './study/token-work.ts';
export { tokenWork } from './study/token-work.ts';
export { timeTable, tokenTime } from './study/token-time.ts';
export type { TaskItem } from './study/task.ts';
export { parseTask } from './study/task.ts';
export type { RunRecord, TrainedRun, TrainingSpec } from './study/training-run.ts';
export { openRun, planRun, trainRun } from './study/training-run.ts';
export type { StudyProgress } from './study/work-meter.ts';
export { WorkMeter } from './study/work-meter.ts';
