// Opens the grid at seven, or where it was, and shows what others did meanwhile.
const grid = () => document.querySelector(".grid");
const scrollTo = (top) => grid()?.scrollTo({ top });
scrollTo(7 * 48);

let text;
setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => undefined);
  const newer = await (answer?.ok && answer.text());
  if (!newer || newer === text) return;
  text = newer;
  const fresh = new DOMParser().parseFromString(newer, "text/html").querySelector("#events");
  const events = document.querySelector("#events");
  if (!fresh || fresh.innerHTML === events.innerHTML) return;
  const top = grid()?.scrollTop;
  events.replaceWith(fresh);
  scrollTo(top);
}, 2000);
