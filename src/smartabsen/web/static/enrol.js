// Pictures for enrolment from this browser's camera: they join the chosen files and are sent with the form.

import { Camera } from "./camera.js";

const form = document.getElementById("enrol");
const input = document.getElementById("pictures");
const opener = document.getElementById("open-camera");
const camera = document.getElementById("camera");
const preview = document.getElementById("preview");
const shoot = document.getElementById("shoot");
const chosen = document.getElementById("chosen");
const QUALITY = 0.92;

let taken = 0;

function tell(text) {
  chosen.textContent = text;
}

function count() {
  tell(input.files.length ? `${form.dataset.textTaken} ${input.files.length}` : "");
}

function tellLoss(kind, name) {
  const reasons = {
    NotAllowedError: form.dataset.textDenied,
    NotReadableError: form.dataset.textBusy,
    AbortError: form.dataset.textBusy,
    ended: form.dataset.textUnplugged,
  };
  const text = reasons[kind] ?? form.dataset.textMissing;
  tell(name ? `${name}: ${text}` : text);
  shoot.disabled = true;
  opener.hidden = false;
}

const source = new Camera({ preview, choice: document.getElementById("camera-choice"), told: tellLoss });
source.onChosen = open;

async function open() {
  camera.hidden = false;
  if (!(await source.open())) return;
  shoot.disabled = false;
  opener.hidden = true;
  count();
}

async function takePicture() {
  if (input.files.length >= Number(form.dataset.most)) return;
  const canvas = document.createElement("canvas");
  canvas.width = preview.videoWidth;
  canvas.height = preview.videoHeight;
  canvas.getContext("2d").drawImage(preview, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  const files = new DataTransfer();
  for (const file of input.files) files.items.add(file);
  taken += 1;
  files.items.add(new File([blob], `camera-${taken}.jpg`, { type: "image/jpeg" }));
  input.files = files.files;
  count();
}

if (navigator.mediaDevices?.getUserMedia) {
  opener.hidden = false;
  opener.addEventListener("click", open);
  shoot.addEventListener("click", takePicture);
}
input.addEventListener("change", count);
