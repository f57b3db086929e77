// The attendance page: opens the camera, takes a short burst of pictures, and says what became of it.

import { countDown } from "./countdown.js";

const FRAMES = 6;
const EVERY_MS = 220;
const LONGER_SIDE_PX = 960;
const QUALITY = 0.85;
const NEXT_PERSON_MS = 12000;

const page = document.getElementById("capture");
const preview = document.getElementById("preview");
const viewfinder = document.getElementById("viewfinder");
const status = document.getElementById("status");
const take = document.getElementById("take");
const retry = document.getElementById("retry");
const texts = page.dataset;

let key = newKey();
let stream = null;

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

async function openCamera() {
  retry.hidden = true;
  say(texts.textStarting);
  if (!navigator.mediaDevices?.getUserMedia) {
    withoutCamera(window.isSecureContext ? texts.textUnsupported : texts.textInsecure);
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
      audio: false,
    });
  } catch (error) {
    const reasons = {
      NotAllowedError: texts.textDenied,
      NotFoundError: texts.textMissing,
      OverconstrainedError: texts.textMissing,
      NotReadableError: texts.textBusy,
    };
    withoutCamera(reasons[error.name] ?? texts.textFailed);
    return;
  }
  // A camera that is unplugged while the page is open.
  stream.getVideoTracks()[0].addEventListener("ended", () => withoutCamera(texts.textFailed));
  preview.srcObject = stream;
  try {
    await preview.play();
  } catch {
    withoutCamera(texts.textFailed);
    return;
  }
  viewfinder.classList.remove("is-off");
  take.disabled = false;
  say(texts.textReady);
  take.focus({ preventScroll: true });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function takeBurst() {
  const scale = Math.min(1, LONGER_SIDE_PX / Math.max(preview.videoWidth, preview.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(preview.videoWidth * scale);
  canvas.height = Math.round(preview.videoHeight * scale);
  const context = canvas.getContext("2d");
  const frames = [];
  for (let number = 0; number < FRAMES; number += 1) {
    if (number) await pause(EVERY_MS);
    context.drawImage(preview, 0, 0, canvas.width, canvas.height);
    frames.push(await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY)));
  }
  return frames;
}

async function send(frames) {
  const body = new FormData();
  body.append("csrf_token", texts.csrf);
  body.append("key", key);
  frames.forEach((frame, number) => body.append("frames", frame, `${number}.jpg`));
  return fetch(texts.action, {
    method: "POST",
    body,
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
}

function show(answer) {
  stream?.getTracks().forEach((track) => track.stop());
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

async function attempt() {
  take.disabled = true;
  viewfinder.classList.add("is-taking");
  say(texts.textTaking);
  const frames = await takeBurst();
  viewfinder.classList.remove("is-taking");
  say(texts.textSending);
  let response;
  let answer;
  try {
    response = await send(frames);
    answer = await response.json();
  } catch {
    // The key stays: if the first try was recorded, the second one gets its answer.
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
  take.disabled = false;
  take.focus({ preventScroll: true });
}

take.addEventListener("click", attempt);
retry.addEventListener("click", openCamera);
countDown(document.getElementById("countdown"), Number(texts.seconds), () => {
  if (document.getElementById("stage").hidden) return;
  say(texts.textEnded, { refusal: true });
  take.disabled = true;
  setTimeout(() => location.replace(texts.again), 4000);
});
openCamera();
