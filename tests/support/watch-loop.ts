/** Watches how long nothing else could run in this process; `stop` returns the longest time, in milliseconds. */
export function watchLoop(): { stop(): number } {
  let [longest, last] = [0, performance.now()];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 5);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
