/**
 * The three browsers: how each is found, started and driven.
 *
 * All come from Debian: apt-get install -y --no-install-recommends chromium chromium-driver
 * firefox-esr webkit2gtk-driver xvfb xauth
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from './browser.ts';
import type { Session } from './transport.ts';
import { httpSession, marionetteSession } from './transport.ts';

export interface StartOptions {
  /** What the page's scripts cannot have: a switch of V8, for Chromium only. */
  readonly v8?: string;
  readonly dark?: boolean;
}

export interface BrowserKind {
  readonly name: string;
  /** Programs that must be there. */
  readonly programs: readonly string[];
  start(options?: StartOptions): Promise<Browser>;
}

const CHROMIUM = '/usr/bin/chromium';
const CHROMEDRIVER = '/usr/bin/chromedriver';
const FIREFOX = '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const XVFB = '/usr/bin/xvfb-run';

export const BROWSERS: readonly BrowserKind[] = [
  { name: 'Chromium', programs: [CHROMIUM, CHROMEDRIVER], start: startChromium },
  { name: 'Firefox', programs: [FIREFOX], start: startFirefox },
  { name: 'WebKitGTK', programs: [WEBKIT_DRIVER, MINI_BROWSER, XVFB], start: startWebKit },
];

/** Programs of a browser that are not installed. */
export const missing = ({ programs }: BrowserKind): string[] =>
  programs.filter((path) => !existsSync(path));

/** A port that nobody listens on, just now. */
const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
});

/** A program in a process group of its own, so that what it starts ends with it. */
const startProgram = (command: string, args: string[], env: object = {}): ChildProcess =>
  spawn(command, args, { detached: true, stdio: 'ignore', env: { ...process.env, ...env } });

/** Starts a program, opens a session, and makes sure that both end. */
async function open(
  name: string, program: ChildProcess, folder: string, session: Promise<Session>,
): Promise<Browser> {
  const end = (): void => {
    try {
      process.kill(-program.pid!, 'SIGKILL');
    } catch { /* it has ended */ }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return new Browser(name, await session, join(folder, 'downloads'), end);
  } catch (error) {
    end();
    throw error;
  }
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'onebit-page-'));

async function startChromium({ v8 }: StartOptions = {}): Promise<Browser> {
  const port = await freePort(), folder = newFolder();
  const program = startProgram(CHROMEDRIVER, [`--port=${port}`]);
  return open('Chromium', program, folder, httpSession(port, {
    'goog:loggingPrefs': { browser: 'ALL' },
    'goog:chromeOptions': {
      binary: CHROMIUM,
      args: [
        '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync',
        '--disable-background-networking', '--disable-component-update', '--window-size=1280,900',
        `--user-data-dir=${join(folder, 'profile')}`, ...(v8 ? [`--js-flags=${v8}`] : []),
      ],
      prefs: { 'download.default_directory': join(folder, 'downloads') },
    },
  }));
}

async function startFirefox({ dark = false }: StartOptions = {}): Promise<Browser> {
  const port = await freePort(), folder = newFolder();
  const settings = {
    'marionette.port': port, 'browser.shell.checkDefaultBrowser': false,
    'browser.download.folderList': 2, 'browser.download.dir': join(folder, 'downloads'),
    'browser.aboutwelcome.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false,
    'app.update.enabled': false, 'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
  };
  writeFileSync(join(folder, 'user.js'), Object.entries(settings)
    .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`).join(''));
  const args = ['--marionette', '--headless', '--no-remote', '--profile', folder];
  const program = startProgram(FIREFOX, [...args, '--window-size=1280,900'], { HOME: folder });
  return open('Firefox', program, folder, marionetteSession(port, {}));
}

async function startWebKit(): Promise<Browser> {
  const port = await freePort(), folder = newFolder();
  const program = startProgram(XVFB, ['-a', WEBKIT_DRIVER, `--port=${port}`], { HOME: folder });
  return open('WebKitGTK', program, folder, httpSession(port, {
    'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
  }));
}
