// The flows in their order. Each is played by itself; `always` marks those that others rest on, so that they are played even
// where only some are asked for. The restart comes last: it ends all sessions.
import * as bulk from './bulk.mjs';
import * as desk from './desk.mjs';
import * as figures from './figures.mjs';
import * as house from './house.mjs';
import * as keyboard from './keyboard.mjs';
import * as live from './live.mjs';
import * as look from './look.mjs';
import * as signIn from './sign_in.mjs';
import * as words from './words.mjs';

const { 'gateway restarted': restarted, ...entries } = live.flows;

export const FLOWS = Object.entries({
  ...signIn.flows,
  ...house.flows,
  ...entries,
  ...desk.flows,
  ...bulk.flows,
  ...words.flows,
  ...keyboard.flows,
  ...look.flows,
  ...figures.flows,
  'gateway restarted': restarted,
});
