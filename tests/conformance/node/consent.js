// A person in front of the consent page, with a browser that runs no scripts.

/** Opens the page, chooses, submits, and gives the address to which the browser is sent back. */
export async function consent(base, url, { account, untick = [], decision = "allow" }) {
  const page = await fetch(url, { redirect: "manual" });
  if (page.status === 303) return new URL(page.headers.get("location"));
  const html = await page.text();
  if (!page.ok) throw new Error(html.match(/Error [^<]+/)?.[0] ?? html);

  const form = new URLSearchParams();
  form.append("request", html.match(/name="request" value="([^"]+)"/)[1]);
  form.append("account", account);
  for (const [, scope] of html.matchAll(/type="checkbox" name="scope" value="([^"]+)"/g)) {
    if (!untick.includes(scope)) form.append("scope", scope);
  }
  form.append("decision", decision);
  const answer = await fetch(`${base}/o/oauth2/v2/auth`, { method: "POST", body: form, redirect: "manual" });
  return new URL(answer.headers.get("location"));
}
