// Plays the flows of tests/browser/flows/ one after another in one browser. tests/page_browser.rs starts it, plays the world
// around the page, and says at its top what passes between the two.
import { close, closeAll, launch, pictureAll } from './lib/screen.mjs';
import { done, failed, figure, say, told, whenAlone } from './lib/world.mjs';
import { FLOWS } from './flows/index.mjs';

whenAlone(async () => {
  await close();
  process.exit(0);
});
/** A script that hangs must not hold the tests up for ever. */
setTimeout(() => {
  failed('all', 'not at its end after ten minutes');
  process.exit(1);
}, 600_000).unref();

say(`chromium ${await launch()}`);
const chosen = told.flows?.split(',');
/** What the flows leave for those after them: sessions, above all. */
const shared = {};
const began = performance.now();
for (const [name, flow] of FLOWS) {
  if (chosen && !flow.always && !chosen.some((word) => name.includes(word))) continue;
  const start = performance.now();
  let trouble;
  try {
    await flow(shared);
  } catch (error) {
    trouble = error.stack ?? String(error);
    await pictureAll(name.replaceAll(/\W+/g, '-'));
  }
  const wrong = await closeAll();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (trouble) wrong.unshift(trouble);
  if (wrong.length > 0) failed(name, [...new Set(wrong)].join('\n    '));
  else say(`ok  ${name}  ${seconds} s`);
}
figure('page/flows', (performance.now() - began) / 1000, 's');
await close();
done();
process.exit(0);
