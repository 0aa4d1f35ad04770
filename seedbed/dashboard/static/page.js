// Says when the page's own server has ended, and takes it back once it answers again.
"use strict"
const ended = document.getElementById("ended")
document.addEventListener("htmx:sendError", () => { ended.hidden = false })
document.addEventListener("htmx:afterOnLoad", () => { ended.hidden = true })
