// A button beside what one wants to copy; without scripts it is marked with the mouse.
for (const one of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain small";
  button.textContent = one.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(one.textContent);
    button.textContent = one.dataset.copied;
  });
  one.after(" ", button);
}
