// Every view as it looks: three widths, both themes, three languages; axe-core finds nothing, nothing is cut off, and nothing is a
// key without words.
import { Screen } from '../lib/screen.mjs';
import { as, connected } from '../lib/staff.mjs';
import { VIEWS } from '../lib/views.mjs';

/** At 400 % on 1280 pixels (WCAG 1.4.10). */
const NARROW = [320, 256];
/** At 200 % on 1280 pixels. */
const TWICE = [640, 450];

const KEY = /(?<![\w.@/])(?:account|audit|card|common|desk|doors|kind|live|nav|people|person|queue|reason|role|scope|signin|staff|system|tokens|say|grant|common|conflict|doors|import|problem)\.[a-z_]+\b(?!\.\w)/g;

/** What has no words in a language shows its key: `desk.wait`, say. Not in the trail, whose actions have such names. */
async function words(screen, what) {
  if (what.startsWith('audit')) return;
  const text = await screen.page.evaluate(() =>
    [document.body.innerText, ...[...document.querySelectorAll('*')].flatMap((it) => [it.ariaLabel, it.title, it.placeholder])].join(' '));
  const keys = new Set(text.match(KEY));
  if (keys.size > 0) screen.wrong.push(`${what}: keys without words: ${[...keys].join(' ')}`);
}

async function settled(page) {
  await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main [aria-busy=true]'));
}

const look = (language, theme, sizes, judged) => async () => {
  const screen = await as('boss', '', { language, theme });
  const { page } = screen;
  await connected(page);
  for (const [name, at] of Object.entries(VIEWS)) {
    await screen.resize('desktop');
    await page.goto(`/${at}`);
    await settled(page);
    await words(screen, `${name} ${language}`);
    for (const size of sizes) {
      await screen.resize(size);
      const what = `${name}-${Array.isArray(size) ? size[0] : size}-${theme}-${language}`;
      await screen.picture(`view-${what}`);
      await screen.fits(what);
      await screen.whole(what);
      if (judged.includes(size)) await screen.accessible(what);
    }
  }
};

/** Letters of twice the size and nothing else (WCAG 1.4.4), in the language with the longest words. */
async function largeLetters() {
  const screen = await as('boss', '', { language: 'de' });
  const { page } = screen;
  await connected(page);
  for (const [name, at] of Object.entries(VIEWS)) {
    await page.goto(`/${at}`);
    await settled(page);
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    await screen.picture(`view-${name}-large-letters`);
    await screen.fits(`${name}, large letters`);
    await screen.whole(`${name}, large letters`);
  }
}

/** The sign-in in each language. */
async function gate() {
  for (const [language, theme, size] of [['en', 'light', 'desktop'], ['de', 'dark', 'phone'], ['es', 'light', 'tablet']]) {
    const screen = await Screen.open({ language, theme, size });
    await screen.page.goto('/');
    await screen.page.locator('main[data-view=signin]').waitFor();
    await screen.picture(`view-signin-${size}-${theme}-${language}`);
    await screen.accessible(`sign-in, ${language}`);
    await screen.fits(`sign-in, ${language}`);
  }
}

export const flows = {
  gate,
  'looks: English, light': look('en', 'light', ['desktop', 'tablet', 'phone', NARROW], ['desktop', 'phone']),
  'looks: English, dark': look('en', 'dark', ['desktop', 'phone'], ['phone']),
  'looks: German, light': look('de', 'light', ['desktop', 'tablet', 'phone', NARROW, TWICE], ['desktop', 'phone']),
  'looks: German, dark': look('de', 'dark', ['tablet', 'phone'], ['tablet', 'phone']),
  'looks: Spanish, light': look('es', 'light', ['desktop', 'tablet', 'phone', NARROW, TWICE], ['desktop', 'phone']),
  'looks: Spanish, dark': look('es', 'dark', ['desktop', 'phone'], ['phone']),
  'large letters': largeLetters,
};
