import { describe, expect, it } from 'vitest';
import { unsoldMedia } from '../../../src/proxy/media/media-parts.ts';
import { like, request } from '../examples.ts';

const asked = (...content: unknown[]) => request({ messages: [null, { role: 'user', content }] });
const unsold = (model: string, ...content: unknown[]) => unsoldMedia(asked(...content), like(model));

const sound = { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } };
const text = { type: 'text', text: 'Hi' };

describe('unsoldMedia', () => {
  it.each(['gpt-4o', 'gemini-2.5-flash', 'gemini-3.5-flash-lite', 'grok-4.7'])(
    'is sound at %s, which may cost more than text',
    (model) =>
      expect(unsold(model, text, sound)).toMatchObject({
        code: 'unsupported_parameter',
        param: 'messages.content.input_audio',
      }),
  );

  it.each(['gemini-2.5-pro', 'simulated-chat'])('is no sound at %s', (model) =>
    expect(unsold(model, text, sound)).toBeUndefined(),
  );

  it('is a file that lies at the provider, for it may be anybody’s', () => {
    const param = 'messages.content.file.file_id';
    expect(unsold('gpt-4o', text, { type: 'file', file: { file_id: 'file-1' } })).toMatchObject({ param });
    expect(unsold('gpt-4o', { type: 'input_file', file_id: 'file-1' })).toMatchObject({ param });
  });

  it('is nothing else', () => {
    const file = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } };
    const picture = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    expect(unsold('gpt-4o', text, file, picture, null, 'x', { type: 'file', file: { file_id: null } })).toBeUndefined();
    expect(unsoldMedia(request(), like('gpt-4o'))).toBeUndefined();
  });
});
