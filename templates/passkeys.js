// Passkeys: asks the browser for a key, and sends what it says with the form that the server wrote. A form says in
// data-passkey what is asked ("get" or "create") and in data-options what for. Without this script the forms stay hidden.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

function ask(form, more) {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  if (form.dataset.passkey === "create") {
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = named(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options, ...more });
  }
  options.allowCredentials = named(options.allowCredentials);
  return navigator.credentials.get({ publicKey: options, ...more });
}

function send(form, credential) {
  const said = credential.response;
  const response = { clientDataJSON: text(said.clientDataJSON) };
  if (said.attestationObject) {
    response.attestationObject = text(said.attestationObject);
    response.transports = said.getTransports ? said.getTransports() : [];
  } else {
    response.authenticatorData = text(said.authenticatorData);
    response.signature = text(said.signature);
    response.userHandle = said.userHandle ? text(said.userHandle) : null;
  }
  const { id, type } = credential;
  form.elements.credential.value = JSON.stringify({ id, rawId: text(credential.rawId), type, response });
  form.submit();
}

// Only one question at a time: the button takes back the one that waits in the name field.
let waiting = null;

async function offer(form) {
  const complain = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain.hidden = true;
    if (waiting) waiting.abort();
    waiting = new AbortController();
    try {
      send(form, await ask(form, { signal: waiting.signal }));
    } catch (error) {
      complain.hidden = false;
    }
  });
  form.hidden = false;
  const early = form.dataset.conditional && PublicKeyCredential.isConditionalMediationAvailable;
  if (!early || !(await PublicKeyCredential.isConditionalMediationAvailable())) return;
  waiting = new AbortController();
  try {
    send(form, await ask(form, { mediation: "conditional", signal: waiting.signal }));
  } catch (error) {
    // Nothing was chosen there; the button and the password remain.
  }
}

if (window.PublicKeyCredential) document.querySelectorAll("form[data-passkey]").forEach(offer);
