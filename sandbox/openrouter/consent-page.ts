/** The simulated consent page: who asks, a cap on what the key may spend, yes or no. */
export function toConsentPage(query: URLSearchParams, origin: string): string {
  const fields = [...query]
    .filter(([name]) => name !== 'decision' && name !== 'limit')
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated OpenRouter: connect</title></head>
<body>
<h1>Simulated OpenRouter</h1>
<p><strong>${escape(origin)}</strong> asks for an API key of your simulated account. No real money is behind it.</p>
<form method="get" action="/auth">
${fields.join('\n')}
<p><label>Budget of the key in USD (empty: none) <input name="limit" value="${escape(query.get('limit') ?? '')}" inputmode="decimal" pattern="[0-9]{1,6}([.][0-9]{1,6})?"></label></p>
<p><button name="decision" value="approve">Approve</button> <button name="decision" value="deny">Deny</button></p>
</form>
</body></html>`;
}

/** What a person is shown who connects a program that has no page to be sent back to. */
export function toCodePage(code: string | null): string {
  const said = code === null ? 'No key was granted.' : `Copy this code into the program: <code>${escape(code)}</code>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated OpenRouter: connect</title></head>
<body>
<h1>Simulated OpenRouter</h1>
<p>${said}</p>
</body></html>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
