// The start: words, then who is signed in, then the view that the address names.
import { fill } from "./dom.js";
import { get, onEnd } from "./api.js";
import { preferred, speak, t } from "./i18n.js";
import { theme, wear } from "./theme.js";
import { become, load, me } from "./state.js";
import { listen, leave } from "./stream.js";
import { shell, show, unmount } from "./shell.js";
import { keptPlace, signIn } from "./views/signin.js";
import { toasts, whisper, failed } from "./parts/toast.js";
import { mustChange } from "./views/account.js";

const app = document.getElementById("app");

/** Nobody is signed in, or not any more: the view's address stays, so that it comes back. */
function out() {
  if (app.dataset.state === "out") return;
  const again = app.dataset.state === "in";
  app.dataset.state = "out";
  leave();
  unmount();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  become(null);
  fill(app, signIn({ again, onIn: enter, redraw: () => ((app.dataset.state = ""), out()) }));
  document.querySelector("[data-focus]")?.focus();
}

async function enter(who) {
  become(who);
  if (who.must_change) {
    app.dataset.state = "in";
    fill(app, mustChange(enter, out));
    document.querySelector("[data-focus]")?.focus();
    return;
  }
  try {
    await load();
  } catch (error) {
    if (error.status === 401) return out();
    failed(error);
  }
  if (!me) return;
  app.dataset.state = "in";
  fill(app, shell({ out }));
  show({ focus: true });
  listen(out);
}

async function begin() {
  wear(theme());
  document.body.append(toasts, whisper);
  await speak(preferred());
  onEnd(out);
  addEventListener("hashchange", () => me && !me.must_change && show({ focus: true }));
  try {
    const who = await get("/api/v1/session", { quiet: true });
    const place = keptPlace();
    if (place && !location.hash) history.replaceState(null, "", place);
    await enter(who);
  } catch (error) {
    if (error.status === 401 || error.status === 403) return out();
    fill(app, Object.assign(document.createElement("p"), { className: "pad", textContent: error.words ?? t("problem.failed") }));
    setTimeout(() => location.reload(), 5000);
  }
}

begin();
