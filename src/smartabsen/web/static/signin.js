// The sign-in page: asks how the request stands, goes on when a phone has confirmed, and shows a new code at the end.

import { countDown } from "./countdown.js";

const FIRST_S = 1.5;
const SLOWEST_S = 5;
const SLOWER = 1.15;
const AFTER_REFUSAL_MS = 2500;

const page = document.getElementById("signin");
const state = document.getElementById("state");

let waitS = FIRST_S;
let etag = "";
let timer = 0;
let over = false;

function renew(text) {
  if (over) return;
  over = true;
  clearTimeout(timer);
  page.classList.add("is-stale");
  state.textContent = text;
  setTimeout(() => location.replace(location.pathname), AFTER_REFUSAL_MS);
}

// One of the windows has the code: two that renew it would take it from each other for ever.
function giveWay() {
  over = true;
  clearTimeout(timer);
  page.classList.add("is-stale");
  for (const id of ["access-code", "number"]) document.getElementById(id).classList.add("invisible");
  document.getElementById("renewal").hidden = true;
  document.getElementById("collect").hidden = true;
  state.textContent = page.dataset.replaced;
  document.getElementById("take-over").hidden = false;
}

function goOn() {
  over = true;
  document.getElementById("collect").submit();
}

async function ask() {
  const response = await fetch(page.dataset.status, {
    headers: etag ? { "If-None-Match": etag, Accept: "application/json" } : { Accept: "application/json" },
    cache: "no-store",
    credentials: "same-origin",
  });
  if (response.status === 304) return "pending";
  if (response.status === 429) {
    waitS = Math.max(waitS, Number(response.headers.get("Retry-After")) || 1);
    return "pending";
  }
  if (!response.ok) throw new Error(String(response.status));
  etag = response.headers.get("ETag") ?? "";
  return (await response.json()).state;
}

async function poll() {
  try {
    const answer = await ask();
    if (over) return;
    if (answer === "verified") return goOn();
    if (answer === "declined") return renew(page.dataset.declined);
    if (answer === "wrong_number") return renew(page.dataset.wrong);
    if (answer === "replaced") return giveWay();
    if (answer === "dead") return renew(page.dataset.dead);
    if (page.classList.contains("is-offline")) location.reload();
  } catch {
    if (over) return;
    page.classList.add("is-offline");
    state.textContent = page.dataset.offline;
  }
  waitS = Math.min(SLOWEST_S, waitS * SLOWER);
  if (!document.hidden) timer = setTimeout(poll, waitS * 1000);
}

// Nobody looks: nobody asks. Who comes back from the phone's app wants an answer at once.
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden || over) return;
  waitS = FIRST_S;
  timer = setTimeout(poll, 1000);
});

countDown(document.getElementById("countdown"), Number(page.dataset.seconds), () => renew(page.dataset.dead));
// At once: where many ask for codes, the server keeps those that a browser asks about.
poll();
