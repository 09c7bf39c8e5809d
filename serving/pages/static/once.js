// The word of a one-time link stands behind the #: it is taken out of the address, and posted. Without scripts it is pasted by hand.
const word = location.hash.slice(1);
if (word) {
  history.replaceState(null, "", location.pathname);
  const form = document.getElementById("once");
  form.elements.word.value = word;
  form.submit();
}
