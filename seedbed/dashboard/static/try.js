// The photograph to try the model on: dropped or chosen, shown, and made smaller where it is too large to send.
"use strict"
const MOST_BYTES = 4_000_000
const SIDE = 1600
const form = document.getElementById("ask")
if (form) {
  const [drop, input, image, hint, shrunk] =
    ["drop", "photo", "chosen", "hint", "shrunk"].map(id => document.getElementById(id))

  const smaller = async file => {
    const bitmap = await createImageBitmap(file)
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement("canvas")
    canvas.width = Math.round(bitmap.width * scale)
    canvas.height = Math.round(bitmap.height * scale)
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise(done => canvas.toBlob(done, "image/jpeg", 0.95))
    return new File([blob], file.name, {type: "image/jpeg"})
  }

  const take = async file => {
    const large = file.size > MOST_BYTES
    const sent = large ? await smaller(file).catch(() => file) : file
    const files = new DataTransfer()
    files.items.add(sent)
    input.files = files.files
    if (image.src) URL.revokeObjectURL(image.src)
    image.src = URL.createObjectURL(sent)
    image.hidden = false
    hint.hidden = true
    shrunk.hidden = !large
    form.requestSubmit()
  }

  image.addEventListener("error", () => { image.hidden = true; hint.hidden = false })
  input.addEventListener("change", () => { if (input.files.length) take(input.files[0]) })
  for (const name of ["dragover", "dragenter"]) {
    drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add("over") })
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"))
  drop.addEventListener("drop", event => {
    event.preventDefault()
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0])
  })
}
