import { describe, expect, it } from 'vitest';
import { createDevOutbox } from '../../src/mail/dev-outbox.ts';

const mail = (n: number, text = `Text ${n}\nhttp://localhost:8080/verify?a=1&b=${n}\n`) => ({
  ...{ to: 'ada@example.com', subject: `<Subject ${n}>`, text, html: '<p>' },
  messageId: `<mail_${n}@localhost>`,
});

describe('the outbox of development', () => {
  it('shows the newest 200 mails, newest first, as simulated, with their links', async () => {
    const outbox = createDevOutbox(() => new Date('2026-12-01T00:00:00Z'));
    expect(outbox.page()).toContain('No mail so far');
    for (let n = 0; n < 205; n++) await outbox.send(mail(n));
    expect(outbox.list()).toHaveLength(200);
    expect(outbox.list()[0]?.subject).toBe('<Subject 204>');
    const page = outbox.page();
    expect(page.indexOf('Subject 204')).toBeLessThan(page.indexOf('Subject 5&gt;'));
    expect(page).not.toContain('Subject 4&gt;');
    expect(page.match(/simulated: this mail was not sent/g)).toHaveLength(200);
    expect(page).toContain('<a href="http://localhost:8080/verify?a=1&amp;b=204"');
  });

  it('escapes all that a mail contains', async () => {
    const outbox = createDevOutbox(() => new Date(0));
    await outbox.send(mail(1, '<script>alert(1)</script>\nhttp://x.test/"onmouseover="alert(1)\njavascript:alert(1)'));
    const page = outbox.page();
    expect(page).not.toMatch(/<script|"onmouseover|href="javascript/);
    expect(page).toContain('&lt;Subject 1&gt;');
  });
});
