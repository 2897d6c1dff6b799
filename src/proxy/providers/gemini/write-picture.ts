import type { ImagePart } from '../../formats/conversation.ts';
import { refuse } from '../../formats/translating.ts';

/** Google reads a public address itself if the request states the type of the picture. */
const mediaTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
};

/** Names files that are kept at Google, under a key that all customers share. */
const KEPT_FILES = 'generativelanguage.googleapis.com';

/** A picture as a part of a content. */
export const pictureOf = ({ source }: ImagePart, at: string): object => {
  if (source.kind === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } };
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined;
  const mimeType = url && mediaTypes[url.pathname.toLowerCase().split('.').at(-1) ?? ''];
  if (url?.protocol !== 'https:' || !mimeType || url.hostname === KEPT_FILES) {
    return refuse(
      at,
      'with this model, a picture must be a data URL, or an https URL that ends with .png, .jpg, .jpeg, .webp, .heic or .heif.',
    );
  }
  return { fileData: { mimeType, fileUri: source.url } };
};
