// Shows what others did, without replacing a form that is being filled in.
setInterval(async () => {
  const events = document.querySelector("#events");
  if (document.hidden || events.querySelector("details[open]")) return;
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#events");
  if (fresh && fresh.innerHTML !== events.innerHTML) events.replaceWith(fresh);
}, 2000);
