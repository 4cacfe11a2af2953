const levels: Readonly<Record<number, string>> = { 10: 'trace ', 20: 'debug ', 30: '', 40: 'WARN ', 50: 'ERROR ' };

/** One JSON line of the log as text for a terminal: `13:00:53 call  status=200 slug=haiku`. What is no such line stays as it is. */
export function toLogText(line: string): string {
  const entry = parse(line);
  if (entry === null) {
    return line;
  }
  const { level, time, msg, err, ...fields } = entry;
  const clock = typeof time === 'string' ? `${time.slice(11, 19)} ` : '';
  const told = Object.entries(fields).map(([name, value]) => `  ${name}=${toText(value)}`);
  const stack = isRecord(err) ? `\n    ${toText(err['stack'] ?? err['message']).replaceAll('\n', '\n    ')}` : '';
  return `${clock}${levels[Number(level)] ?? 'FATAL '}${toText(msg)}${told.join('')}${stack}\n`;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
