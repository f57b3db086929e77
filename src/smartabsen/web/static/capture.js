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
// With one movement there is more time for it, and for the way back.
const ONLY_ACTION_MS = 5500;
const ONLY_BACK_MS = 3000;
// A movement that is far enough is shown for so long afterwards, so that it is seen in enough pictures.
const LINGER_MS = 500;
const LOOK_SIDE_PX = 480;
const LOOK_QUALITY = 0.7;
const ASKED_FOR_MS = 1800;
const MOST_FRAMES = 88;
// Six pictures within 0.75 s: whoever looks at a camera sways enough in that time.
const EVERY_MS = 150;
// A camera that gives no new picture for so long is not waited for.
const CAMERA_MS = 400;
const LONGER_SIDE_PX = 960;
const QUALITY = 0.85;
const NEXT_PERSON_MS = 12000;

const page = document.getElementById("capture");
const preview = document.getElementById("preview");
const viewfinder = document.getElementById("viewfinder");
const status = document.getElementById("status");
const take = document.getElementById("take");
const other = document.getElementById("other");
const sign = document.getElementById("sign");
const progress = document.getElementById("progress");
const step = document.getElementById("step");
const retry = document.getElementById("retry");
const texts = page.dataset;

let key = newKey();
let unanswered = null;
let cannot = "";
let asked = [];
// Where movements are drawn: from the start where the firm demands them, else after a burst that left doubt.
let movements = texts.asks;

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
  // The picture is that of the call; the promise is kept when it is encoded.
  const take = async () => {
    const number = burst.times.push(performance.now()) - 1;
    context.drawImage(preview, 0, 0, canvas.width, canvas.height);
    burst.frames[number] = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  };
  return { burst, take };
}

/** Wait for the next picture of the camera: in bad light there are few a second, and none may be taken twice. */
function nextPicture() {
  if (!preview.requestVideoFrameCallback) return Promise.resolve();
  return Promise.race([new Promise((resolve) => preview.requestVideoFrameCallback(resolve)), pause(CAMERA_MS)]);
}

async function takeBurst() {
  const { burst, take } = makeCamera(LONGER_SIDE_PX, QUALITY);
  const began = performance.now();
  const encoded = [];
  for (let number = 0; number < FRAMES; number += 1) {
    if (number) {
      await pause(Math.max(0, began + number * EVERY_MS - performance.now()));
      await nextPicture();
    }
    encoded.push(take());
  }
  await Promise.all(encoded);
  return burst;
}

/** Show a movement as an arrow, and how far it is as a part of the ring; null shows none. */
function showSign(name, { share = 0, label = "" } = {}) {
  // Elements of an SVG have no property "hidden".
  sign.toggleAttribute("hidden", !name);
  sign.setAttribute("data-sign", name ?? "");
  progress.setAttribute("stroke-dasharray", `${Math.round(100 * share)} 100`);
  progress.toggleAttribute("hidden", !share);
  step.hidden = !label;
  step.textContent = label;
}

/** Ask the server how far a movement is; null where it does not say, and time alone goes on. */
async function look(action, start) {
  const { burst, take } = makeCamera(LOOK_SIDE_PX, LOOK_QUALITY);
  await take();
  const body = new FormData();
  body.append("csrf_token", texts.csrf);
  body.append("action", action);
  if (start) body.append("start", start.join(","));
  body.append("frame", burst.frames[0], "look.jpg");
  try {
    const response = await fetch(texts.look, { method: "POST", body, headers: { Accept: "application/json" } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Take pictures until `done` says so or the time is over; looks go on beside them. */
async function takePart(part, take, burst, began) {
  let over = performance.now() + part.ms;
  let running = true;
  const looking = (async () => {
    while (running) {
      const seen = await look(part.action, began.posture);
      if (!running) break;
      if (seen) {
        // The movement is measured from the first look straight ahead.
        if (seen.ready) began.posture ??= seen.posture;
        const early = part.watch(seen);
        if (early !== null) over = Math.min(over, performance.now() + early);
      }
      await pause(120);
    }
  })();
  while (performance.now() < over && burst.frames.length < MOST_FRAMES) {
    const next = performance.now() + MOVING_EVERY_MS;
    await take();
    await pause(Math.max(0, next - performance.now()));
  }
  running = false;
  await Promise.race([looking, pause(200)]);
}

// The server says which movements; it judges them as well. Here they are only shown.
async function takeMovement() {
  const body = new FormData();
  body.append("csrf_token", texts.csrf);
  if (cannot) body.append("cannot", cannot);
  const response = await fetch(texts.challenge, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok) return null;
  const { steps, straight } = await response.json();
  asked = steps.map((step) => step.action);
  const { burst, take } = makeCamera(MOVING_SIDE_PX, MOVING_QUALITY);
  const rest = { action: steps[0].action, ms: STRAIGHT_MS, watch: (seen) => (seen.ready ? LINGER_MS : null) };
  try {
    say(straight);
    showSign(null, { label: steps[0].step });
    const began = { posture: null };
    await takePart(rest, take, burst, began);
    for (const asking of steps) {
      say(asking.text);
      showSign(asking.action, { label: asking.step });
      const moving = {
        action: asking.action,
        ms: steps.length === 1 ? ONLY_ACTION_MS : ACTION_MS,
        watch: (seen) => {
          showSign(asking.action, { share: seen.progress, label: asking.step });
          if (seen.text && seen.text !== status.textContent) say(seen.text);
          return seen.progress >= 1 ? LINGER_MS : null;
        },
      };
      await takePart(moving, take, burst, began);
      say(`${texts.textDone} ${straight}`);
      showSign("straight", { share: 1, label: asking.step });
      await takePart({ ...rest, ms: steps.length === 1 ? ONLY_BACK_MS : STRAIGHT_MS }, take, burst, began);
    }
  } finally {
    showSign(null);
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
    const burst = response ? null : movements ? await takeMovement() : await takeBurst();
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
  if (answer.outcome === "movement_needed") {
    // Not refused: the same person shows it by one movement, at once.
    movements = texts.challenge;
    say(problem.filter(Boolean).join(" "));
    await pause(ASKED_FOR_MS);
    await attempt();
    return;
  }
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
