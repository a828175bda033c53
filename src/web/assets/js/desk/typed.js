// A number that is typed, or read by this device itself: Web NFC and Web Serial, where the browser has them.
import { h } from "../dom.js";
import { post } from "../api.js";
import { t } from "../i18n.js";
import { button } from "../parts/bits.js";
import { field, form } from "../parts/dialog.js";
import { done, failed } from "../parts/toast.js";

const FORMATS = ["auto", "uid", "uid-reversed", "decimal", "decimal-reversed", "wiegand26", "ks", "token"];
const select = (test) => h("select", { data: { test } }, FORMATS.map((it) => h("option", { value: it }, t(`format.${it}`))));

const read = (number, format) => post("/api/v1/cards/read", format === "auto" ? { number } : { number, format });

/** Asks for a number and shows the card. */
export async function typed(show) {
  const number = h("input", { required: true, maxlength: 64, autocomplete: "off", spellcheck: "false", autocapitalize: "characters", class: "mono", autofocus: true, data: { test: "number" } });
  const format = select("format");
  const presented = await form(t("desk.typed"), [field(t("desk.number"), number, t("desk.number_hint")), field(t("desk.format"), format)], t("desk.look"),
    () => read(number.value.trim(), format.value), { test: "typed-dialog" });
  if (presented) show(presented);
}

let nfc = null;
let port = null;

/** Buttons for what this browser can do by itself. */
export function browserReaders(show) {
  return [
    "NDEFReader" in window && button(t("desk.nfc"), () => withNfc(show), { mark: "nfc", test: "web-nfc" }),
    "serial" in navigator && button(t("desk.serial"), () => withSerial(show), { mark: "plug", test: "web-serial" }),
  ];
}

async function withNfc() {
  try {
    nfc?.abort();
    nfc = new AbortController();
    const reader = new window.NDEFReader();
    await reader.scan({ signal: nfc.signal });
    done(t("desk.nfc_on"));
    // The gateway tells every open desk, this one too: nothing is shown from here.
    reader.addEventListener("reading", ({ serialNumber }) => {
      if (serialNumber) read(serialNumber.replaceAll(":", "").toUpperCase(), "uid").catch(failed);
    });
  } catch (error) {
    failed({ words: t("desk.nfc_no"), more: error.message, status: 0 });
  }
}

async function withSerial() {
  if (port) return;
  const speed = h("select", { value: "9600" }, ["9600", "19200", "57600", "115200"].map((it) => h("option", {}, it)));
  const format = select("serial-format");
  const chosen = await form(t("desk.serial"), [h("p", {}, t("desk.serial_text")), field(t("desk.speed"), speed), field(t("desk.format"), format)], t("desk.serial_choose"), async () => {
    const it = await navigator.serial.requestPort();
    await it.open({ baudRate: Number(speed.value) });
    return it;
  });
  if (!chosen || chosen === true) return;
  port = chosen;
  done(t("desk.serial_on"));
  lines(chosen, format.value).catch((error) => failed({ words: t("desk.serial_gone"), more: error.message, status: 0 })).finally(() => (port = null));
}

async function lines(from, format) {
  let text = "";
  const reader = from.readable.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done: over } = await reader.read();
    if (over) return;
    text += value;
    const whole = text.split(/[\r\n\x02\x03]+/);
    text = whole.pop().slice(-128);
    for (const number of whole.map((it) => it.trim()).filter(Boolean)) await read(number, format).catch(failed);
  }
}
