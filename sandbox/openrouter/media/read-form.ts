/** A form as the JSON that says the same: `name[]` becomes a list, a file its bytes in base64 with the ending of its name. */
export async function readForm(bytes: Buffer, contentType: string): Promise<unknown> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => null);
  if (form === null) {
    return undefined;
  }
  const body: Record<string, unknown> = {};
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name).filter((value) => typeof value === 'string');
    body[name.replace(/\[\]$/, '')] = name.endsWith('[]') ? values : values[0];
  }
  const file = form.get('file');
  return file instanceof File
    ? {
        ...body,
        file: undefined,
        input_audio: {
          data: Buffer.from(await file.arrayBuffer()).toString('base64'),
          format: file.name.split('.').at(-1) ?? 'wav',
        },
      }
    : body;
}
