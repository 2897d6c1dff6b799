/* global addEventListener, document, fetch, history, location, sessionStorage */

/** Each kind of link: its title, what the button does, and where it posts. A mail has the id `<kind>-<id>`. */
const kinds = [
  {
    prefix: 'verify-',
    title: 'Confirm your e-mail address',
    does: 'The button confirms your e-mail address and opens your account.',
    button: 'Confirm this address',
    path: (id) => `api/registrations/${id}/verify`,
    done: ({ note }) => note ?? 'Your address is confirmed, and your account is open. You can sign in now.',
  },
  {
    prefix: 'sign-in-',
    title: 'Sign in',
    does: 'The button signs you in, in this tab of this browser. Press it only if you have just asked for this mail.',
    button: 'Sign in here',
    path: (id) => `api/sign-in/codes/${id}/redeem`,
    done: signedIn,
  },
  {
    prefix: 'change-',
    title: 'Confirm your new e-mail address',
    does:
      'The button makes the address of this mail the address of the account. The earlier address receives a notice, and can ' +
      'undo the change for seven days.',
    button: 'Use this address',
    path: (id) => `api/address-changes/${id}/confirm`,
    done: () => 'The new address is in force.',
  },
  {
    prefix: 'undo-',
    title: 'Undo the change of your e-mail address',
    does:
      'The button makes the address of this mail the address of the account again. Later changes are undone as well, and all ' +
      'sessions end. API keys and passkeys stay.',
    button: 'Undo the change',
    path: (id) => `api/address-changes/${id}/undo`,
    done: () =>
      'Your earlier address is in force again, and all sessions have ended. Sign in, and check your passkeys and API keys.',
  },
  {
    prefix: 'invite-',
    title: 'Accept the invitation',
    does: 'The button accepts the invitation.',
    button: 'Accept',
    path: (id) => `api/invitations/${id}/accept`,
    done: () => 'The invitation is accepted. You can sign in now.',
  },
  {
    prefix: 'low-balance-',
    title: 'End the mails about a low balance',
    does: 'The button removes the threshold of the account, so that no more of these mails are sent. You can set it again at any time.',
    button: 'End these mails',
    path: (id) => `api/low-balance-mails/${id}/end`,
    done: () => 'The threshold is removed. No more of these mails are sent for this account.',
  },
];

const TOKEN = 'kissapi.session';
const [title, text, newcomer, button, result] = ['title', 'text', 'newcomer', 'button', 'result'].map((id) =>
  document.getElementById(id),
);

/** The link in the fragment, which is sent to no server: `#<kind>-<id>.<secret>`. Undefined if it is not complete. */
const readLink = () => {
  const [, mailId = '', secret] = /^#([\w-]{1,80})\.([\w-]{1,100})$/.exec(location.hash) ?? [];
  const kind = kinds.find(({ prefix }) => mailId.startsWith(prefix) && mailId.length > prefix.length);
  return kind && secret ? { kind, id: mailId.slice(kind.prefix.length), secret } : undefined;
};

/** The answer of the API, or a text for the reader. */
const post = async (path, body, token) => {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const sent = { method: 'POST', headers, body: JSON.stringify(body), credentials: 'omit', cache: 'no-store' };
  const response = await fetch(path, sent).catch(() => undefined);
  const json = await response?.json().catch(() => undefined);
  if (response?.ok && json) return { kind: 'done', json };
  const message = json?.error?.message ?? 'The service could not be reached. Try again.';
  return { kind: 'failed', message, code: json?.error?.code, again: !response || response.status >= 429 };
};

/** The token stays in this tab, and is gone when the tab is closed. */
async function signedIn({ session }) {
  sessionStorage.setItem(TOKEN, session.token);
  const headers = { authorization: `Bearer ${session.token}` };
  const me = await fetch('api/me', { headers, credentials: 'omit', cache: 'no-store' })
    .then((response) => response.json())
    .catch(() => undefined);
  offer('Sign out', async () => {
    await post('api/me/sign-out', {}, sessionStorage.getItem(TOKEN));
    sessionStorage.removeItem(TOKEN);
    button.hidden = true;
    result.textContent = 'You are signed out.';
  });
  const until = new Date(session.ends_at).toUTCString();
  return `You are signed in${me?.email ? ` as ${me.email}` : ''}, in this tab, until ${until} at the latest.`;
}

/** What a person without an account has to state. What is not stated is asked for again. */
const details = async () => {
  if (newcomer.hidden) return {};
  const [name, adult, terms] = ['name', 'adult', 'terms'].map((id) => document.getElementById(id));
  const published = terms.checked ? await fetch('api/terms').then((response) => response.json()) : undefined;
  return {
    ...(name.value.trim() === '' ? {} : { name: name.value }),
    ...(adult.checked ? { declaration: 'I am 18 or older.' } : {}),
    ...(published ? { accept_terms: published.data.find(({ in_force }) => in_force).version } : {}),
  };
};

const offer = (label, press) => {
  button.textContent = label;
  button.hidden = false;
  button.disabled = false;
  button.onclick = async () => {
    button.disabled = true;
    await press();
  };
};

const press = async ({ kind, id, secret }) => {
  result.textContent = 'One moment …';
  const stated = await details().catch(() => ({}));
  const outcome = await post(kind.path(id), { link_secret: secret, ...stated });
  if (outcome.code === 'newcomer_details_required') {
    newcomer.hidden = false;
    result.textContent = 'You have no account yet. Fill in all three lines, and press the button again.';
    button.disabled = false;
    return;
  }
  if (outcome.kind === 'failed') {
    result.textContent = outcome.message;
    button.disabled = !outcome.again;
    return;
  }
  // A used secret need not stay in the history of the browser.
  history.replaceState(null, '', location.pathname);
  button.hidden = true;
  newcomer.hidden = true;
  text.textContent = '';
  result.textContent = await kind.done(outcome.json);
};

const show = () => {
  const link = readLink();
  result.textContent = '';
  button.hidden = true;
  newcomer.hidden = true;
  title.textContent = link?.kind.title ?? 'This link is not complete';
  text.textContent =
    link?.kind.does ??
    'Open the link again from the mail, or copy all of it, up to the end of the line, into the address bar.';
  if (link) offer(link.kind.button, () => press(link));
};

addEventListener('hashchange', show);
show();
