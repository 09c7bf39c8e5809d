// How far a verification has come, once a second; when it has ended, the page is read anew. Without scripts it is read anew anyway.
const bar = document.getElementById("progress");
const walked = document.getElementById("walked");
async function look() {
  try {
    const answer = await fetch(bar.dataset.url, { cache: "no-store" });
    const found = answer.ok ? await answer.json() : null;
    if (!found) return location.reload();
    if (found.total) {
      bar.max = found.total;
      bar.value = found.done;
      walked.textContent = bar.dataset.words.replace("{done}", found.done).replace("{total}", found.total);
    }
  } catch { /* the service may be restarting: look again */ }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
