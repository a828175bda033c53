// What the gateway says in its own words, in the language of whoever looks: refusals, troubles of readers, faults, rows of a
// sheet, conflicts, details of entries. Nothing English is left but the lines of other programs, in their small print.
import { expect, fob, giveByKeyboard, present, ready, stage, uid } from '../lib/desk.mjs';
import { as, connected, hook, signIn } from '../lib/staff.mjs';
import { Screen } from '../lib/screen.mjs';
import { clear, lay, plug, swap, told, unplug, until } from '../lib/world.mjs';

const [ANA] = told.cards;

/** Digits of fobs that no other flow has. */
const FOBS = { es: '41', de: '51' };
const WORDS = {
  es: { twice: 'dos tarjetas', again: 'número nuevo', empty: 'no habría nadie', nobody: 'no hay nadie llamado', plug: 'Enchúfelo', asked: 'a petición de', over: 'Se ha omitido', wrong: 'no son correctos', due: 'de recepción' },
  de: { twice: 'zwei Karten', again: 'eine neue Nummer', empty: 'wäre niemand', nobody: 'heißt niemand', plug: 'Stecken Sie ihn ein', asked: 'auf Wunsch von', over: 'übersprungen', wrong: 'falsch', due: 'am Empfang' },
};

/** What is marked as English must be a line of another program. */
async function spoken(screen, what) {
  const left = await screen.page.evaluate(() =>
    [...document.querySelectorAll('main [lang=en], .toast [lang=en], dialog [lang=en]')]
      .filter((el) => el.checkVisibility() && el.textContent.trim() && !el.closest('.technical, .more'))
      .map((el) => el.textContent.trim()));
  if (left.length > 0) screen.wrong.push(`${what}: in English: ${[...new Set(left)].join(' | ')}`);
}

const sees = async (screen, name, words) => {
  await hook(screen.page, name).filter({ hasText: words }).first().waitFor();
  await spoken(screen, `${name}, ${words}`);
};

const inItsOwnWords = (language) => async () => {
  const words = WORDS[language];
  const card = fob(FOBS[language]);
  const screen = await as('maria', '#/desk', { language, size: 'tablet' });
  const { page } = screen;
  await ready(page);

  // Of one presentation.
  await swap(fob(16));
  await lay(fob(17));
  await sees(screen, 'alerts', words.twice);
  await screen.picture(`words-two-cards-${language}`);
  await screen.accessible(`two cards, ${language}`);
  await swap('08A1B2C3');
  await sees(screen, 'alerts', words.again);

  // Of a reader that is gone: it stands until it is back.
  await unplug();
  await sees(screen, 'reader-trouble', words.plug);
  await screen.picture(`words-no-reader-${language}`);
  await screen.accessible(`no reader, ${language}`);
  await page.goto('/#/system');
  await sees(screen, 'faults', words.plug);
  await screen.picture(`words-faults-${language}`);
  await screen.accessible(`faults, ${language}`);
  await plug();
  await hook(page, 'faults').filter({ hasText: words.plug }).waitFor({ state: 'hidden' });

  // A refusal, once.
  await page.goto('/#/desk/queue');
  await hook(page, 'queue-company').fill('No such company');
  await hook(page, 'queue-begin').click();
  const wrong = page.locator('[data-test=queue] .wrong');
  await wrong.filter({ hasText: words.empty }).waitFor();
  const sentences = (await wrong.innerText()).split(/(?<=[.!?])\s/);
  expect('each sentence once', new Set(sentences).size, sentences.length);
  await spoken(screen, 'an empty queue');
  await screen.picture(`words-empty-queue-${language}`);
  await screen.accessible(`an empty queue, ${language}`);

  // Rows of a sheet, and rows that are left out of a queue.
  await page.goto('/#/desk/import');
  await hook(page, 'import-text').fill(`email,card\nnobody@example.com,${uid(card)}\nnoa@example.com,nonsense\nnoa@example.com,\nnoa@example.com,${ANA}\n`);
  await hook(page, 'import-look').click();
  await sees(screen, 'import-result', words.nobody);
  await screen.picture(`words-sheet-${language}`);
  await screen.accessible(`a sheet, ${language}`);
  await page.goto('/#/desk/queue');
  await hook(page, 'queue-sheet').fill('email\nnobody@example.com\nolu@example.com\n');
  await hook(page, 'queue-begin').click();
  await hook(page, 'queue-next').waitFor();
  await spoken(screen, 'a queue with rows left out');
  await page.goto('/#/desk');
  await page.goto('/#/desk/queue');
  await hook(page, 'queue-skip').click();
  await sees(screen, 'queue-said', words.over);
  await screen.picture(`words-queue-${language}`);
  await hook(page, 'queue-end').click();

  // Details of entries, and the history of somebody.
  await page.goto('/#/doors');
  await page.locator('[data-test=door][data-door=front] [data-test=open]').click();
  await page.goto('/#/live');
  await sees(screen, 'entries', words.asked);
  await screen.picture(`words-live-${language}`);
  await screen.accessible(`entries, ${language}`);
  await clear();
};

/** Somebody's card for somebody else, said once; and no sign-in. */
const refusedOnce = (language) => async () => {
  const words = WORDS[language];
  const stranger = await Screen.open({ language, size: 'phone' });
  await stranger.page.goto('/');
  await signIn(stranger.page, 'maria', 'not this one at all');
  await hook(stranger.page, 'sign-in-wrong').waitFor();
  const said = await hook(stranger.page, 'sign-in-wrong').innerText();
  if (!/contraseña|Passwort/.test(said)) throw new Error(`another language: ${said}`);

  // Two at the desk: whoever is second reads who was first, in one sentence.
  const digits = String(Number(FOBS[language]) + 1);
  const screens = [await as('maria', '#/desk', { language }), await as('omar', '#/desk', { language })];
  for (const { page } of screens) await ready(page);
  await swap(fob(digits));
  for (const { page } of screens) await stage(page, 'new').locator('[data-test=card]', { hasText: digits }).waitFor();
  await Promise.all(screens.map(({ page }, at) => giveByKeyboard(page, ...[['petra', 'petra'], ['olu', 'olu']][at])));
  const second = await until('one was told', async () => {
    for (const screen of screens) if ((await hook(screen.page, 'alerts').locator('.toast').count()) > 0) return screen;
    return null;
  });
  const toast = await hook(second.page, 'alerts').locator('.toast').first().locator('p').allInnerTexts();
  expect('said once', toast.length, 1);
  await spoken(second, 'somebody was quicker');
  await second.picture(`words-quicker-${language}`);
  await clear();
};

/** Another language, chosen at the page: everything at once, and still after the page was loaded anew. */
async function chosen() {
  const screen = await as('vera', '#/account');
  const { page } = screen;
  await connected(page);
  for (const [language, doors] of [['de', 'Türen'], ['es', 'Puertas'], ['en', 'Doors']]) {
    await hook(page, `language-${language}`).check({ force: true });
    await hook(page, 'nav-doors').filter({ hasText: doors }).waitFor();
    await page.reload();
    await hook(page, 'nav-doors').filter({ hasText: doors }).waitFor();
    expect('the language of the document', await page.evaluate(() => document.documentElement.lang), language);
  }
}

export const flows = {
  'languages chosen': chosen,
  'words: Spanish': inItsOwnWords('es'),
  'words: German': inItsOwnWords('de'),
  'words: a refusal, Spanish': refusedOnce('es'),
  'words: a refusal, German': refusedOnce('de'),
};
