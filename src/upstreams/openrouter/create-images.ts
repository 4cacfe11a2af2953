import { z } from 'zod';
import { safeParse, decodeBase64, decodeDataUrl, isDataUrl } from '#kit/index.ts';
import { openFile } from '../outbound/open-file.ts';
import { readBytes } from '../read-body.ts';
import { askMedia, type MediaHttp } from './ask-media.ts';
import type { ChatCall } from '../chat-completions/chat.ts';
import type { ImageFile, ImageProviders, ImagesRequest, MediaResult } from './media.ts';
import { parseImages } from './parse-images.ts';
import { toEcho, toImagePart } from './picture-part.ts';
import { readMediaJson } from './read-media-json.ts';

/** Ten pictures of 10 MB in base64 are more than any model gives. */
const MAX_BYTES = 96_000_000;
const MAX_IMAGES = 10;
const MAX_FILE_BYTES = 10_000_000;

const text = z.string().nullish().catch(null);
const form = z.object({
  data: z.array(z.object({ b64_json: text, url: text, media_type: text }).nullable().catch(null)).min(1),
});

/** `POST /images`, asked for whole (docs/decisions/0052); read too where it comes as a stream. */
export function createImages(
  http: MediaHttp,
  request: ImagesRequest,
  call: ChatCall,
): Promise<MediaResult<ImageFile[]>> {
  const secrets = [request.prompt, ...(request.references ?? []).map(toEcho)];
  return askMedia(
    http,
    {
      method: 'POST',
      path: '/images',
      body: toWire(request),
      secrets,
      read: (response, { signal }) =>
        readMediaJson(response, {
          maxBytes: MAX_BYTES,
          secrets: [call.apiKey, ...secrets],
          parse: parseImages,
          pick: (body) => pickFiles(http, body, signal),
        }),
    },
    call,
  );
}

function toWire(request: ImagesRequest): Record<string, unknown> {
  return {
    model: request.model,
    prompt: request.prompt,
    n: request.n,
    aspect_ratio: request.aspectRatio,
    resolution: request.resolution,
    size: request.size,
    quality: request.quality,
    output_format: request.outputFormat,
    output_compression: request.outputCompression,
    background: request.background,
    seed: request.seed,
    input_references: request.references?.map(toImagePart),
    provider: request.provider && toWireProviders(request.provider),
  };
}

function toWireProviders({ allowFallbacks, ...named }: ImageProviders): Record<string, unknown> {
  return { ...named, allow_fallbacks: allowFallbacks };
}

/** Null where any of them is neither base64 nor an address that may be called: all were paid for. */
async function pickFiles(http: MediaHttp, body: unknown, signal: AbortSignal): Promise<ImageFile[] | null> {
  const found = safeParse(form, body).data?.data.slice(0, MAX_IMAGES) ?? [];
  const files: ImageFile[] = [];
  for (const item of found) {
    const file = item?.b64_json ? decode(item.b64_json) : await fetchFile(http, item?.url, signal);
    if (file === null) {
      return null;
    }
    files.push(file);
  }
  return files.length > 0 ? files : null;
}

/** Some providers send a data URL where base64 is meant. What the bytes are is seen later. */
function decode(given: string): ImageFile | null {
  const decoded = isDataUrl(given) ? decodeDataUrl(given, MAX_BYTES) : decodeBase64(given, MAX_BYTES);
  return 'bytes' in decoded ? decoded : null;
}

async function fetchFile(
  { outbound }: MediaHttp,
  url: string | null | undefined,
  signal: AbortSignal,
): Promise<ImageFile | null> {
  if (!url || outbound === null) {
    return null;
  }
  const opened = await openFile(outbound, { url, signal, maxBytes: MAX_FILE_BYTES });
  return opened.ok ? { bytes: await readBytes(opened.body, MAX_FILE_BYTES) } : null;
}
