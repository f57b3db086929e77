// Pictures for enrolment from this browser's camera: they join the chosen files and are sent with the form.

const form = document.getElementById("enrol");
const input = document.getElementById("pictures");
const opener = document.getElementById("open-camera");
const camera = document.getElementById("camera");
const preview = document.getElementById("preview");
const chosen = document.getElementById("chosen");
const QUALITY = 0.92;

let taken = 0;

function tell(text) {
  chosen.textContent = text;
}

function count() {
  tell(input.files.length ? `${form.dataset.textTaken} ${input.files.length}` : "");
}

async function open() {
  try {
    preview.srcObject = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
      audio: false,
    });
    await preview.play();
  } catch {
    tell(form.dataset.textDenied);
    return;
  }
  camera.hidden = false;
  opener.hidden = true;
}

async function shoot() {
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
  document.getElementById("shoot").addEventListener("click", shoot);
}
input.addEventListener("change", count);
