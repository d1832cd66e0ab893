/**
 * Tests that take minutes: `npm run test:long`.
 * @module
 */
import './kills.ts';
import './quality.ts';
import './reproduce.ts';
import './studies.ts';
