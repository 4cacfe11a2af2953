import type { ChatCall, ChatFailure } from '../chat-completions/chat.ts';
import { plainFailure } from '../chat-completions/parse-failure.ts';
import type { MediaHttp } from './ask-media.ts';
import type { MediaResult, VideoCall, VideoJob } from './media.ts';
import { findVideo } from './run-video.ts';
import { wait } from '../wait.ts';

const FIRST_DELAY_MS = 300;
const MAX_DELAY_MS = 10_000;
const GROWTH = 1.5;
/** A job is not given up for a moment in which nobody answers. */
const MAX_FAILURES = 8;

/** Asks for a job until it has ended in one way or another, ever more seldom. */
export async function awaitVideo(http: MediaHttp, jobId: string, call: VideoCall): Promise<MediaResult<VideoJob>> {
  let failures = 0;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * GROWTH, MAX_DELAY_MS)) {
    const result = await findVideo(http, jobId, call);
    if (result.ok) {
      failures = 0;
      call.onProgress?.(result.output);
      if (result.output.status !== 'pending' && result.output.status !== 'in_progress') {
        return result;
      }
    } else {
      failures += 1;
      if (failures > MAX_FAILURES || !isPassing(result.failure)) {
        return result;
      }
    }
    const left = findEnd(http, call, delayMs);
    if (left !== null || !(await wait(http.timers, delayMs, call.signal))) {
      return { ...result, ok: false, failure: plainFailure(left ?? findEnd(http, call, 0) ?? 'aborted') };
    }
  }
}

/** A job that was just ordered may not be known everywhere yet. */
function isPassing({ kind, status }: ChatFailure): boolean {
  return (
    kind === 'connection' ||
    kind === 'malformed' ||
    (kind === 'http_error' && (status === 404 || status === 429 || (status ?? 0) >= 500))
  );
}

function findEnd({ timers }: MediaHttp, { deadlineMs }: ChatCall, delayMs: number): 'deadline' | null {
  return timers.now() + delayMs >= deadlineMs ? 'deadline' : null;
}
