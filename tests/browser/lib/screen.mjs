// A person at a screen: a browser context of its own, and everything that must never happen in one. Requests to other hosts,
// words on the console, breaches of the content security policy and answers of 500 and more are collected as they happen; a
// flow that ends with any of them has failed.
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { told } from './world.mjs';

const require = createRequire(`${told.modules}/`);
const { chromium, firefox } = require('playwright-core');
/** Which browser this is: `chromium`, or `firefox` as Mozilla makes it, by WebDriver BiDi. */
export const engine = told.engine ?? 'chromium';
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Chromium says so of every answer that is not 200; what the page makes of it is what is tested. */
const ANSWERS = /Failed to load resource: the server responded with a status of 4\d\d/;
/** Firefox tells of style sheets what other browsers keep to themselves; and of the styles that axe and the taking of pictures put
 * into a page, which its policy refuses. A style of the page's own that offended would offend chromium as well. */
const FIREFOX = /^\[JavaScript Warning|Error in parsing value|Unknown property|Unknown pseudo-class|style-src-elem/;
const LOOPBACK = ['localhost', '127.0.0.1'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const WIDTHS = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };
export const PASSWORD = 'correct horse battery';

let browser;
const open = new Set();

export async function launch() {
  mkdirSync(told.pictures, { recursive: true });
  browser = engine === 'firefox'
    ? await firefox.launch({ executablePath: told.browser, headless: true, channel: 'moz-firefox', timeout: 120_000 })
    : await chromium.launch({ executablePath: told.browser, headless: true, args: FLAGS });
  return `${engine} ${browser.version()}`;
}
export const close = () => browser?.close();

/** Every screen that a flow opened, closed; and what went wrong at them. */
export async function closeAll() {
  const wrong = [];
  for (const screen of [...open]) {
    wrong.push(...screen.wrong);
    await screen.context.close();
    open.delete(screen);
  }
  return wrong;
}
/** Pictures of all open screens, of a flow that failed. */
export async function pictureAll(name) {
  for (const [number, screen] of [...open].entries()) {
    await screen.picture(`FAILED-${name}-${number}`).catch(() => {});
  }
}

export class Screen {
  wrong = [];
  /** While the gateway is away a refused connection is no fault of the page. */
  lineIsDown = false;

  /**
   * `size` is one of WIDTHS, `theme` light or dark, `language` what the browser asks for. `state` is what another screen
   * `saved()`: its session.
   */
  static async open({ size = 'desktop', theme = 'light', language = 'en', state, scripts = true } = {}) {
    const [width, height] = WIDTHS[size];
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: language,
      reducedMotion: 'reduce',
      ignoreHTTPSErrors: true,
      baseURL: told.address,
      storageState: state,
      javaScriptEnabled: scripts,
      hasTouch: engine === 'chromium' && size !== 'desktop',
    });
    const screen = new Screen();
    screen.context = context;
    context.setDefaultTimeout(45_000);
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`),
      );
    });
    // Nothing of a test goes out into the world, whatever a page of the identity provider asks for.
    await context.route(({ hostname }) => !LOOPBACK.includes(hostname), (route) => route.abort());
    context.on('request', (request) => screen.#asked(request));
    context.on('response', (response) => {
      if (response.status() >= 500 && !screen.lineIsDown) screen.wrong.push(`${response.status()} from ${response.url()}`);
    });
    context.on('weberror', (error) => {
      const words = `${error.error().message}\n${error.error().stack}`;
      if (engine === 'firefox' && FIREFOX.test(words)) return;
      screen.wrong.push(`script: ${words}`);
    });
    context.on('console', (message) => screen.#heard(message));
    screen.page = await context.newPage();
    open.add(screen);
    return screen;
  }

  #asked(request) {
    const { host, protocol } = new URL(request.url());
    if (protocol === 'data:' || protocol === 'blob:' || host === new URL(told.address).host) return;
    // Going to the space's own login is what somebody chose to do, and what that page asks for is its own matter.
    if (request.isNavigationRequest() && host === new URL(told.issuer).host) return;
    if (this.isElsewhere()) return;
    this.wrong.push(`asked another host: ${request.url()}`);
  }

  /** It shows a page of the identity provider. */
  isElsewhere() {
    return this.page.url().startsWith(told.issuer);
  }

  #heard(message) {
    const text = message.text();
    if (this.isElsewhere() || (engine === 'firefox' && FIREFOX.test(text))) return;
    if (!['error', 'warning'].includes(message.type()) || ANSWERS.test(text)) return;
    if (this.lineIsDown && /net::ERR_|Failed to load resource|NetworkError|Cross-Origin|CORS/.test(text)) return;
    this.wrong.push(`console ${message.type()}: ${text} (${message.location().url})`);
  }

  /** Its session, for another screen of the same person. */
  saved() {
    return this.context.storageState();
  }

  async picture(name) {
    // What is fixed to the window would stand in the middle of a page that was scrolled.
    await this.page.evaluate(() => scrollTo(0, 0));
    return this.page.screenshot({ path: `${told.pictures}/${engine === 'firefox' ? 'firefox-' : ''}${name}.png`, fullPage: true, caret: engine === 'firefox' ? 'initial' : 'hide' });
  }

  /** Fails with what axe-core finds against WCAG 2.2 AA. */
  async accessible(what) {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
    const words = violations.map(({ id, nodes }) => {
      const found = nodes.slice(0, 3).map((node) => `${node.target.join(' ')}: ${node.any[0]?.message ?? node.html}`);
      return `${id} (${nodes.length}): ${found.join('; ')}`;
    });
    if (words.length > 0) this.wrong.push(`axe, ${what}: ${words.join(' | ')}`);
  }

  /** Nothing may need sideways scrolling: at 320 wide neither, which is 1280 at 400 % (WCAG 1.4.10). */
  async fits(what) {
    const [wide, seen] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (wide > seen + 1) this.wrong.push(`${what}: ${wide} pixels wide on a screen of ${seen}`);
  }

  /** No words are cut off by their own box, or run out of a box that has an edge. */
  async whole(what) {
    const cut = await this.page.evaluate(() =>
      [...document.querySelectorAll('button, .button, .tag, th, td, label, h1, h2, a, p, dd, dt, summary, strong')]
        .filter((el) => el.checkVisibility() && !el.closest('.skip') && el.textContent.trim())
        // What only readers of screens are told stands in a box of one pixel.
        .filter((el) => {
          for (let box = el; box; box = box.parentElement) if (getComputedStyle(box).clipPath !== 'none') return false;
          return !el.querySelector('.unseen');
        })
        .filter((el) => {
          const style = getComputedStyle(el);
          return style.display !== 'inline' && el.scrollWidth > el.clientWidth + 1 && style.overflowX !== 'auto';
        })
        .map((el) => `${el.localName} ${el.textContent.trim().slice(0, 40)}`));
    if (cut.length > 0) this.wrong.push(`${what}: cut off: ${[...new Set(cut)].slice(0, 5).join(' | ')}`);
  }

  resize(size) {
    const [width, height] = Array.isArray(size) ? size : WIDTHS[size];
    return this.page.setViewportSize({ width, height });
  }
}
