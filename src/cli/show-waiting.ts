/** Where a command prints; `update` replaces the last line and is there on a terminal only. */
export interface Screen {
  print(line: string): void;
  update?(line: string): void;
}

const SECOND_MS = 1_000;
/** On a terminal every second; elsewhere each sign is a line of its own that stays. */
const PLAIN_EVERY_SECONDS = 5;

/** Waits for what may take long, such as a picture, and shows that it is still under way. `what`: in words that follow "Still". */
export async function showWaiting<T>(screen: Screen, what: string, work: Promise<T>): Promise<T> {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += 1;
    if (screen.update) {
      screen.update(`                Still ${what} … ${seconds} s`);
    } else if (seconds % PLAIN_EVERY_SECONDS === 0) {
      screen.print(`                Still ${what} … ${seconds} s`);
    }
  }, SECOND_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (seconds > 0) {
      screen.update?.('');
    }
  }
}

/** Standard output: lines, and on a terminal one that is written over. */
export function openScreen(stream: NodeJS.WriteStream): Screen {
  const print = (line: string): void => void stream.write(`${line}\n`);
  return stream.isTTY ? { print, update: (line) => void stream.write(`\r\u001b[K${line}`) } : { print };
}
