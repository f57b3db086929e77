// The cameras of this computer: one is opened, all are offered, the choice is remembered here.

const REMEMBERED = "smartabsen.camera";

const remember = (id) => {
  try {
    localStorage.setItem(REMEMBERED, id);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
};

const remembered = () => {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
};

// Opens cameras for a preview. `choice` is a select, hidden by its parent until there is more than one camera; `told` is
// called with the kind of a loss and the camera's name.
export class Camera {
  constructor({ preview, choice, told }) {
    this.preview = preview;
    this.choice = choice;
    this.told = told;
    this.stream = null;
    this.opening = 0;
    choice.addEventListener("change", () => {
      remember(choice.value);
      this.onChosen?.();
    });
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.list());
  }

  get name() {
    const track = this.stream?.getVideoTracks()[0];
    return track?.label || this.choice.selectedOptions[0]?.textContent || "";
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  // Returns whether the preview shows a picture.
  async open() {
    const turn = ++this.opening;
    this.stop();
    const wanted = this.choice.value || remembered();
    let stream;
    try {
      stream = await this.request(wanted);
    } catch (error) {
      await this.list(wanted);
      if (turn === this.opening) this.told(error.name, this.choice.selectedOptions[0]?.textContent ?? "");
      return false;
    }
    if (turn !== this.opening) {
      // Another camera was chosen meanwhile.
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => {
      if (this.stream !== stream) return;
      const { name } = this;
      this.stop();
      this.list();
      this.told("ended", name);
    });
    await this.list(track.getSettings().deviceId);
    this.preview.srcObject = stream;
    try {
      await this.preview.play();
    } catch {
      if (this.stream === stream) this.told("failed", this.name);
      return false;
    }
    return this.stream === stream;
  }

  async request(wanted) {
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    if (wanted) {
      try {
        return await navigator.mediaDevices.getUserMedia({
          video: { deviceId: { exact: wanted }, ...size },
          audio: false,
        });
      } catch (error) {
        // The one that was chosen is not there: any other one is better than none.
        if (error.name !== "OverconstrainedError" && error.name !== "NotFoundError") throw error;
      }
    }
    return navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", ...size }, audio: false });
  }

  // Offers the cameras there are. Their names are known once one was allowed.
  async list(selected = this.choice.value) {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const cameras = devices.filter((device) => device.kind === "videoinput" && device.deviceId);
    this.choice.replaceChildren(
      ...cameras.map((device, number) => {
        const text = device.label || `${this.choice.dataset.camera} ${number + 1}`;
        return new Option(text, device.deviceId, false, device.deviceId === selected);
      }),
    );
    this.choice.parentElement.hidden = cameras.length < 2;
  }
}
