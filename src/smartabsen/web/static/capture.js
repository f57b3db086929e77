// The attendance page: opens the camera, takes a short burst of pictures, and says what became of it.

import { Camera } from "./camera.js";
import { countDown } from "./countdown.js";

const FRAMES = 6;
// While a movement is asked for, smaller pictures come quicker.
const MOVING_EVERY_MS = 125;
const MOVING_SIDE_PX = 640;
const MOVING_QUALITY = 0.8;
const STRAIGHT_MS = 1500;
const ACTION_MS = 2800;
const MOST_FRAMES = 88;
const EVERY_MS = 220;
const LONGER_SIDE_PX = 960;
const QUALITY = 0.85;
const NEXT_PERSON_MS = 12000;

const page = document.getElementById("capture");
const preview = document.getElementById("preview");
const viewfinder = document.getElementById("viewfinder");
const status = document.getElementById("status");
const take = document.getElementById("take");
const other = document.getElementById("other");
const retry = document.getElementById("retry");
const texts = page.dataset;

let key = newKey();
let unanswered = null;
let cannot = "";
let asked = [];

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(text, { refusal = false } = {}) {
  status.textContent = text;
  status.classList.toggle("is-refusal", refusal);
}

function withoutCamera(text) {
  viewfinder.classList.add("is-off");
  take.disabled = true;
  retry.hidden = false;
  say(text, { refusal: true });
}

// The page says what is wrong, and which camera it is where that is known.
function tellLoss(kind, name) {
  const reasons = {
    NotAllowedError: texts.textDenied,
    NotFoundError: texts.textMissing,
    OverconstrainedError: texts.textMissing,
    NotReadableError: texts.textBusy,
    AbortError: texts.textBusy,
    ended: texts.textUnplugged,
  };
  const text = reasons[kind] ?? texts.textFailed;
  withoutCamera(name ? `${name}: ${text}` : text);
}

const camera = new Camera({ preview, choice: document.getElementById("camera-choice"), told: tellLoss });

async function openCamera() {
  retry.hidden = true;
  take.disabled = true;
  say(texts.textStarting);
  if (!navigator.mediaDevices?.getUserMedia) {
    withoutCamera(window.isSecureContext ? texts.textUnsupported : texts.textInsecure);
    return;
  }
  if (!(await camera.open())) return;
  viewfinder.classList.remove("is-off");
  take.disabled = false;
  say(texts.textReady);
}
camera.onChosen = openCamera;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function makeCamera(longerSide, quality) {
  const scale = Math.min(1, longerSide / Math.max(preview.videoWidth, preview.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(preview.videoWidth * scale);
  canvas.height = Math.round(preview.videoHeight * scale);
  const context = canvas.getContext("2d");
  const burst = { frames: [], times: [] };
  const take = async () => {
    burst.times.push(performance.now());
    context.drawImage(preview, 0, 0, canvas.width, canvas.height);
    burst.frames.push(await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality)));
  };
  return { burst, take };
}

async function takeBurst() {
  const { burst, take } = makeCamera(LONGER_SIDE_PX, QUALITY);
  for (let number = 0; number < FRAMES; number += 1) {
    if (number) await pause(EVERY_MS);
    await take();
  }
  return burst;
}

// The server says which movements; it judges them as well. Here they are only shown.
async function takeMovement() {
  const body = new FormData();
  body.append("csrf_token", texts.csrf);
  if (cannot) body.append("cannot", cannot);
  const response = await fetch(texts.asks, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok) return null;
  const { steps, straight } = await response.json();
  asked = steps.map((step) => step.action);
  const parts = [{ text: straight, ms: STRAIGHT_MS }];
  for (const step of steps) parts.push({ text: step.text, ms: ACTION_MS }, { text: straight, ms: STRAIGHT_MS });
  const { burst, take } = makeCamera(MOVING_SIDE_PX, MOVING_QUALITY);
  for (const part of parts) {
    say(part.text);
    const end = performance.now() + part.ms;
    while (performance.now() < end && burst.frames.length < MOST_FRAMES) {
      const next = performance.now() + MOVING_EVERY_MS;
      await take();
      await pause(Math.max(0, next - performance.now()));
    }
  }
  return burst;
}

async function send({ frames, times }) {
  const body = new FormData();
  body.append("csrf_token", texts.csrf);
  body.append("key", key);
  body.append("times", times.map((time) => time.toFixed(1)).join(","));
  frames.forEach((frame, number) => body.append("frames", frame, `${number}.jpg`));
  return fetch(texts.action, {
    method: "POST",
    body,
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
}

function show(answer) {
  camera.stop();
  document.getElementById("greeting").textContent = answer.message;
  document.getElementById("punch-date").textContent = answer.punch.date;
  const badge = document.getElementById("punch-status");
  badge.textContent = answer.punch.status_text;
  badge.classList.add(answer.punch.status === "Terlambat" ? "text-bg-warning" : "text-bg-success");
  document.getElementById("stage").hidden = true;
  const done = document.getElementById("done");
  done.hidden = false;
  done.focus();
  setTimeout(() => location.replace(texts.again), NEXT_PERSON_MS);
}

/** Send a burst; it stays unanswered where the answer is lost or the server could not do it. */
async function ask(burst) {
  unanswered = burst;
  const response = await send(burst);
  const answer = await response.json();
  if (response.status < 500) unanswered = null;
  return [response, answer];
}

async function attempt() {
  take.disabled = true;
  viewfinder.classList.add("is-taking");
  other.hidden = true;
  say(texts.textTaking);
  let response;
  let answer;
  try {
    if (unanswered) {
      // If it was recorded, it gets its answer; the key stands for these pictures and no others.
      say(texts.textSending);
      [response, answer] = await ask(unanswered);
      const refused = response.status < 500 && response.status !== 401 && !answer.punch;
      if (refused) {
        key = newKey();
        response = undefined;
        say(texts.textTaking);
      }
    }
    const burst = response ? null : texts.asks ? await takeMovement() : await takeBurst();
    viewfinder.classList.remove("is-taking");
    if (!burst && !response) {
      say(texts.textWait, { refusal: true });
      take.disabled = false;
      return;
    }
    if (burst) {
      say(texts.textSending);
      [response, answer] = await ask(burst);
    }
  } catch {
    viewfinder.classList.remove("is-taking");
    // Key and pictures stay: if the first try was recorded, the second one gets its answer.
    say(texts.textOffline, { refusal: true });
    take.disabled = false;
    return;
  }
  if (response.ok && answer.punch) {
    show(answer);
    return;
  }
  const problem = response.ok ? [answer.message, answer.next_step] : [answer.error.message, answer.error.hint];
  say(problem.filter(Boolean).join(" "), { refusal: true });
  if (response.status === 401) {
    setTimeout(() => location.replace(texts.again), 4000);
    return;
  }
  if (response.status < 500) key = newKey();
  other.hidden = asked.length === 0;
  take.disabled = false;
  take.focus({ preventScroll: true });
}

take.addEventListener("click", attempt);
other.addEventListener("click", () => {
  // The one that was asked for first is left out; the others may still be drawn.
  [cannot] = asked;
  attempt();
});
retry.addEventListener("click", () => openCamera().then(() => take.focus({ preventScroll: true })));
countDown(document.getElementById("countdown"), Number(texts.seconds), () => {
  if (document.getElementById("stage").hidden) return;
  say(texts.textEnded, { refusal: true });
  take.disabled = true;
  setTimeout(() => location.replace(texts.again), 4000);
});
openCamera().then(() => take.focus({ preventScroll: true }));
