// A button that sends a file in pieces. Jupyter's server closes the connection at messages above 10 MB, and a
// notebook then hears nothing; photographs of telephones are larger than that.
const PIECE = 2 ** 20;

function render({ model, el }) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = model.get("accept");
  input.hidden = true;
  const button = document.createElement("button");
  button.className = "jupyter-widgets jupyter-button widget-button posekit-upload";
  button.textContent = model.get("description");
  button.addEventListener("click", () => input.click());
  el.append(button, input);

  // Every upload has an identity, which all of its pieces carry: of two at once, the newer one wins.
  let newest = "";
  const send = async (file) => {
    const upload = `${Date.now()}-${Math.random()}`;
    newest = upload;
    model.send({ upload, name: file.name, size: file.size });
    if (file.size > model.get("largest")) return;
    for (let start = 0; start < file.size; start += PIECE) {
      const piece = await file.slice(start, start + PIECE).arrayBuffer();
      if (newest !== upload) return;
      model.send({ upload }, undefined, [piece]);
    }
  };
  input.addEventListener("change", () => {
    if (input.files.length) send(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  button.addEventListener("dragover", (event) => event.preventDefault());
  button.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

export default { render };
