/** Every study at the smallest scale, in this process. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStore } from '../../src/study/store.ts';
import { STUDIES } from '../../src/study/studies.ts';
import { prepareStudies, runStudy } from '../../src/study/study.ts';
import { newEngine } from '../helpers/tiny-model.ts';

const engine = newEngine();
const studies = suite('studies at tiny scale');
const shared = memoryStore();

for (const study of STUDIES)
  studies(`${study.name}: gives tables, charts and notes, and the same again from the store`, async () => {
    const options = { engine, store: shared, scale: 'tiny' } as const;
    const report = await runStudy(study, prepareStudies([study], options));
    assert.ok(report.tables.length > 0 && report.charts.length > 0 && report.notes.length > 0);
    for (const { columns, rows } of report.tables)
      for (const row of rows) assert.is(row.length, columns.length);
    const names = [...report.tables, ...report.charts].map(({ name }) => name);
    for (const name of names) assert.match(name, /^[a-z0-9.-]+$/);
    const again = await runStudy(study, prepareStudies([study], options));
    assert.equal(again, report);
  });

studies.run();
