// Plays the flows of tests/browser/flows/ one after another in one browser. tests/page_browser.rs starts it, plays the world
// around the page, and says at its top what passes between the two.
import { close, closeAll, launch, pictureAll } from './lib/screen.mjs';
import { done, failed, say, told, whenAlone } from './lib/world.mjs';
import { FLOWS } from './flows/index.mjs';

whenAlone(async () => {
  await close();
  process.exit(0);
});
/** A flow that hangs must not hold up those after it. */
const LONGEST = 240_000;

function inTime(work) {
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`not at its end after ${LONGEST} ms`)), LONGEST);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

say(await launch());
const chosen = told.flows ? told.flows.split(',') : undefined;
const began = performance.now();
for (const [name, flow] of FLOWS) {
  const wanted = chosen ? chosen.some((word) => name.includes(word)) : !name.startsWith('figures');
  if (!wanted && !flow.always) continue;
  const start = performance.now();
  let trouble;
  try {
    await inTime(flow());
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
say(`all flows: ${((performance.now() - began) / 1000).toFixed(0)} s`);
await close();
done();
process.exit(0);
